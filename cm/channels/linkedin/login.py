"""The login: OAuth 2 on www.linkedin.com, with the id and the secret of the institution's own app.

A token lasts 60 days; only approved apps are given a `refresh_token` (365 days, which using it does not prolong), the
others send their person through the browser again. Asking for other scopes than before ends the earlier tokens of the
same person and app. LinkedIn's PKCE is for native apps alone and has another address, so it is left out here. The
address for giving a login back is in no documentation read for this; dated public code uses it (2026-11-22).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from cm.channels.http import Http, instant
from cm.channels.linkedin.rest import PAGE
from cm.channels.oauth import OAuth2
from cm.channels.port import Ask, AuthFailed, Json, Values
from cm.i18n import _

WWW = "https://www.linkedin.com"
PAGE_SCOPES = ("w_organization_social", "r_organization_social", "rw_organization_admin")
MEMBER_SCOPES = ("openid", "profile", "w_member_social")


def usual_scopes(author: str) -> tuple[str, ...]:
    """What a login for that author asks for, unless the settings say otherwise."""
    return PAGE_SCOPES if author.startswith(PAGE) else MEMBER_SCOPES


def needed_scope(author: str) -> str:
    """Without this one nothing can be published."""
    return "w_organization_social" if author.startswith(PAGE) else "w_member_social"


def oauth(scopes: Sequence[str]) -> OAuth2:
    """LinkedIn's OAuth 2."""
    return OAuth2(
        authorize_url=f"{WWW}/oauth/v2/authorization",
        token_url=f"{WWW}/oauth/v2/accessToken",
        scopes=tuple(scopes),
        revoke_url=f"{WWW}/oauth/v2/revoke",
        pkce=False,
    )


def asks() -> Sequence[Ask]:
    """What a person must give first."""
    where = _("on linkedin.com/developers, in the app's page Auth")
    return (
        Ask("client_id", _("the client id of the LinkedIn app"), hint=where),
        Ask("client_secret", _("the client secret of the LinkedIn app"), secret=True, hint=where),
    )


def inspected(www: Http, values: Values) -> tuple[tuple[str, ...], datetime | None]:
    """The scopes and the end of a login: as LinkedIn tells them where the app's secret is stored, else as stored.

    Raises AuthFailed for a token that is active no more.
    """
    told = _told(www, values)
    if told.get("active") is False:
        raise AuthFailed(_("LinkedIn: the login has ended: log in again with `cm channel login`."))
    scope = told.get("scope") or values.get("scope", "")
    scopes = scope.replace(",", " ").split() if isinstance(scope, str) else []
    return tuple(scopes), _end(told, values)


def _end(told: Json, values: Values) -> datetime | None:
    """When a person must log in again: a login that renews itself ends with its refresh token."""
    if values.get("refresh_token"):
        return instant(values.get("refresh_token_expires_at"))
    seconds = told.get("expires_at")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 10**11:
        return datetime.fromtimestamp(seconds, UTC)
    return instant(values.get("expires_at"))


def _told(www: Http, values: Values) -> Json:
    """What LinkedIn says of a token; empty where it cannot be asked."""
    form = {
        "client_id": values.get("client_id", ""),
        "client_secret": values.get("client_secret", ""),
        "token": values.get("access_token", ""),
    }
    if not all(form.values()):
        return {}
    every = range(400, 500)
    reply = www.call("POST", "/oauth/v2/introspectToken", form=form, accept=every, anonymous=True)
    return reply.json if reply.status < 400 and isinstance(reply.json, dict) else {}
