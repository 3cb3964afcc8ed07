"""Logging in: an app is registered at the server, a person says yes in a browser (OAuth 2, PKCE), the token is kept.

docs.joinmastodon.org, 2026-07: `POST /api/v1/apps` needs no login and gives the app its id and secret, which are kept
with the token, since revoking asks for them. Each login registers anew: the redirect address belongs to the app.
PKCE is compared since 4.3; servers that do not know it leave it alone. A token of Mastodon's does not end; those of
compatible servers may, and some bring a refresh token. Granular scopes are Mastodon's and GoToSocial's; the others
are asked for `read write`, which all of them know.

Where sources contradict: the OpenAPI description (4.7.0) wants `redirect_uris` as a list, servers before 4.3 and
compatible ones take a text only. A server that refuses the list, or a redirect to this machine, is asked again with a
text, for the address that shows a code to be pasted (`urn:ietf:wg:oauth:2.0:oob`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cm.channels.http import Http
from cm.channels.mastodon import server
from cm.channels.mastodon.limits import GOTOSOCIAL, MASTODON
from cm.channels.oauth import OAuth2
from cm.channels.port import Ask, AuthFailed, Json, Rejected, Retryable, Values, Visit
from cm.i18n import _

NAME = "cm"
"""How the app is called on the page where a person says yes."""
PASTED = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
COARSE = ("read", "write")
_APP = ("client_id", "client_secret")


def asks() -> Sequence[Ask]:
    """A token that a person made on the server's page, for servers where no app registers itself; else nothing."""
    hint = _("Leave it empty to log in with a browser. Else: the server's Preferences, Development, a new application.")
    return (Ask("token", _("an access token of your own"), secret=True, hint=hint, optional=True),)


def begin(http: Http, redirect_uri: str) -> Visit:
    """The page to visit, for an app that was registered just now. Raises ChannelError."""
    scopes = SCOPES if server.software(http)[0] in (MASTODON, GOTOSOCIAL) else COARSE
    try:
        app = _registered(http, [redirect_uri], scopes)
    except Rejected:
        redirect_uri = PASTED
        app = _registered(http, PASTED, scopes)
    visit = _oauth(http, scopes).visit(app, redirect_uri)
    return replace(visit, saved={**visit.saved, **app})


def finish(http: Http, visit: Visit, answer: Values) -> Values:
    """The token that the code is good for, with the app's id and secret. Raises ChannelError, AuthFailed naming what
    the person did not allow."""
    app = {name: visit.saved[name] for name in _APP}
    asked = {name: value for name, value in visit.saved.items() if name not in _APP}
    values = _oauth(http).finish(http, app, replace(visit, saved=asked), answer)
    refuse_rights(http, values)
    return values


def renew(http: Http, values: Values) -> Values:
    """A new token, where the server lets them end. Raises ChannelError."""
    return _oauth(http).renew(http, values)


def revoke(http: Http, values: Values) -> None:
    """Let the server forget the token. Raises Rejected for one that was made on the server's own page."""
    if not values.get("client_id"):
        reason = _("{server}: this token was made on the server's page (Preferences, Development): delete it there.")
        raise Rejected(reason.format(server=http.name))
    _oauth(http).revoke(http, values)


def refuse_rights(http: Http, values: Values) -> None:
    """Raises AuthFailed naming scopes that the token should have and has not; none where it is not told."""
    given = values.get("scope", "").split()
    lacking = [scope for scope in SCOPES if scope not in given and scope.partition(":")[0] not in given]
    if given and lacking:
        reason = _("{server}: the login lacks the rights {names}: log in again with `cm channel login`.")
        raise AuthFailed(reason.format(server=http.name, names=", ".join(lacking)))


def _registered(http: Http, redirect: str | list[str], scopes: tuple[str, ...]) -> Mapping[str, str]:
    """Id and secret of a new app."""
    asked: Json = {"client_name": NAME, "redirect_uris": redirect, "scopes": " ".join(scopes)}
    told = server.as_object(http, http.call("POST", "/api/v1/apps", json=asked, anonymous=True))
    if not all(isinstance(told.get(name), str) and told[name] for name in _APP):
        raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
    return {name: told[name] for name in _APP}


def _oauth(http: Http, scopes: tuple[str, ...] = SCOPES) -> OAuth2:
    place = f"{http.base_url}/oauth"
    return OAuth2(f"{place}/authorize", f"{place}/token", scopes, f"{place}/revoke")
