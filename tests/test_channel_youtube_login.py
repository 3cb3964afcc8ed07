"""Logging in to Google: a page to visit, tokens that renew themselves, rights that are missing, giving it all back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support_youtube import NOW, TOKEN, Google, PretendYouTube, context_for, pretending

from cm.channels.port import AuthFailed, Logins, Retryable, Visit
from cm.channels.youtube.adapter import YouTubeAdapter
from cm.channels.youtube.login import SCOPES
from cm.clock import SettableClock
from cm.secrets.login import Login, token_file
from cm.secrets.private import write_private

GIVEN = {"client_id": "1234.apps.example", "client_secret": "GOCSPX-secret-of-the-hospital"}
BACK = "http://127.0.0.1:8731/"
STORED = {
    **GIVEN,
    "access_token": "ya29.old-token-of-the-hospital",
    "refresh_token": "1//refresh-of-the-hospital",
    "scope": " ".join(SCOPES),
    "expires_at": (NOW + timedelta(minutes=2)).isoformat(),
}


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
def there(google: Google) -> Iterator[PretendYouTube]:
    with pretending(google) as pretended:
        yield pretended


def adapter_for(root: Path, values: dict[str, str]) -> YouTubeAdapter:
    path = token_file(root, "youtube")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(values))
    return YouTubeAdapter(context_for(root, credentials=Login("youtube", None, root, SettableClock(NOW))))


def kept(root: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(token_file(root, "youtube").read_text())
    return values


def test_a_login_in_the_browser(there: PretendYouTube, google: Google, tmp_path: Path) -> None:
    adapter = YouTubeAdapter(context_for(tmp_path))
    assert isinstance(adapter, Logins)
    assert [(ask.key, ask.secret) for ask in adapter.login_asks()] == [("client_id", False), ("client_secret", True)]
    visit = adapter.login_begin(GIVEN, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    page, query = urlsplit(visit.url), parse_qs(urlsplit(visit.url).query)
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://accounts.google.com/o/oauth2/v2/auth"
    assert query["scope"] == ["https://www.googleapis.com/auth/youtube.force-ssl"]
    assert (query["access_type"], query["prompt"]) == (["offline"], ["consent"]), "else there is no refresh token"
    assert (query["code_challenge_method"], query["state"], query["redirect_uri"]) == (["S256"], [visit.state], [BACK])
    assert "GOCSPX" not in visit.url
    google.told |= {"refresh_token": "1//new", "scope": " ".join(SCOPES), "refresh_token_expires_in": 604_799}
    values = adapter.login_finish(GIVEN, visit, {"code": "4/the-code", "state": visit.state})
    ((path, form),) = google.forms
    assert path == "/token"
    assert (form["code"], form["code_verifier"]) == ("4/the-code", visit.saved["code_verifier"])
    assert (form["client_secret"], form["redirect_uri"]) == (GIVEN["client_secret"], BACK)
    assert (values["refresh_token"], values["refresh_token_expires_in"]) == ("1//new", "604799")
    assert values["client_id"] == GIVEN["client_id"]


def test_who_says_no_is_not_logged_in(tmp_path: Path) -> None:
    adapter = YouTubeAdapter(context_for(tmp_path))
    visit = adapter.login_begin(GIVEN, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    with pytest.raises(AuthFailed, match="access_denied"):
        adapter.login_finish(GIVEN, visit, {"error": "access_denied"})


def test_a_token_that_ends_is_renewed_once_and_keeps_its_refresh_token(
    there: PretendYouTube, google: Google, tmp_path: Path
) -> None:
    adapter = adapter_for(tmp_path, STORED)
    adapter.check()
    adapter.check()
    ((path, form),) = google.forms
    assert (path, form["grant_type"], form["refresh_token"]) == ("/token", "refresh_token", STORED["refresh_token"])
    stored = kept(tmp_path)
    assert (stored["access_token"], stored["refresh_token"]) == (TOKEN, STORED["refresh_token"])
    assert stored["expires_at"].startswith("2026-11-23T09:29")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, AuthFailed),
        (401, {"error": "invalid_client", "error_description": "Unauthorized"}, AuthFailed),
        (503, {"error": "temporarily_unavailable"}, Retryable),
    ],
)
def test_a_renewal_that_fails_leaves_what_was_stored(
    there: PretendYouTube, google: Google, tmp_path: Path, status: int, body: Any, kind: type[Exception]
) -> None:
    adapter = adapter_for(tmp_path, STORED)
    google.status, google.told = status, body
    with pytest.raises(kind) as caught:
        adapter.check()
    assert "of-the-hospital" not in str(caught.value)
    assert kept(tmp_path) == STORED
    assert there.requests == []


def test_rights_that_were_not_given_are_named(there: PretendYouTube, tmp_path: Path) -> None:
    lacking = {**STORED, "scope": "https://www.googleapis.com/auth/youtube.readonly"}
    with pytest.raises(AuthFailed, match=r"lacks the rights https://.*youtube\.force-ssl: log in again"):
        adapter_for(tmp_path, lacking).check()
    assert there.requests == []


def test_a_project_on_testing_ends_after_a_week(there: PretendYouTube, tmp_path: Path) -> None:
    ends = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)
    adapter = adapter_for(tmp_path, {**STORED, "refresh_token_expires_at": ends.isoformat()})
    assert adapter.check().token_expires_at == ends
    assert adapter_for(tmp_path, STORED).check().token_expires_at is None, "it renews itself"
    alone = {"access_token": TOKEN, "expires_at": ends.isoformat()}
    assert adapter_for(tmp_path, alone).check().token_expires_at == ends


def test_logging_out_revokes_what_is_stored(there: PretendYouTube, google: Google, tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, STORED)
    adapter.logout(STORED)
    assert [(path, form["token"]) for path, form in google.forms] == [
        ("/revoke", STORED["refresh_token"]),
        ("/revoke", STORED["access_token"]),
    ]
    google.status, google.told = 400, {"error": "invalid_token", "error_description": "Token expired or revoked"}
    adapter.logout(STORED)  # it is gone already
    google.status, google.told = 503, {}
    with pytest.raises(Retryable):
        adapter.logout(STORED)
