"""Logging in to Google: OAuth 2 with PKCE by a redirect to this machine.

`access_type=offline` and `prompt=consent` make Google give a refresh token every time. One scope does for all that is
done here (discovery document 20261104): films, captions, comments. An access token lasts an hour; a refresh token has
no fixed end, but only seven days while the project's consent screen stands on "Testing", which Google tells in
`refresh_token_expires_in`; it also ends unused after six months, or when the person takes it back. Service accounts
have no channel.
"""

from collections.abc import Sequence
from datetime import datetime

from cm.channels.http import Http, instant
from cm.channels.oauth import OAuth2
from cm.channels.port import Ask, Context, Values
from cm.i18n import _

TOKENS = "https://oauth2.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/youtube.force-ssl",)
OAUTH2 = OAuth2(
    authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
    token_url=f"{TOKENS}/token",
    revoke_url=f"{TOKENS}/revoke",
    scopes=SCOPES,
    extra={"access_type": "offline", "prompt": "consent"},
)


def asks() -> Sequence[Ask]:
    """What a person must give first."""
    where = _("On console.cloud.google.com, under “APIs & Services”, “Credentials”: an OAuth client “Desktop app”.")
    return (
        Ask("client_id", _("the client ID of the Google project"), hint=where),
        Ask("client_secret", _("the client secret of the Google project"), secret=True, hint=where),
    )


def token(context: Context, http: Http) -> str | None:
    """The access token, renewed first if it ends soon. Raises ChannelError."""
    if context.credentials is None:
        return context.secret()
    return context.credentials.fresh(lambda values: OAUTH2.renew(http, values)).get("access_token")


def lacking(values: Values) -> list[str]:
    """Scopes that the stored login should have and has not; none where it is not known what it has."""
    given = values.get("scope", "").split()
    return [scope for scope in SCOPES if scope not in given] if given else []


def ends(values: Values) -> datetime | None:
    """When a person must log in again; None where nothing tells it."""
    if values.get("refresh_token"):
        return instant(values.get("refresh_token_expires_at"))
    return instant(values.get("expires_at"))
