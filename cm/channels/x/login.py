"""The two logins X knows, and the headers they make.

`oauth2`: a person says yes in a browser (PKCE). The token lasts two hours; the refresh token that comes with the scope
`offline.access` is good for one renewal and brings the next one: used twice, the whole family dies (reported
2026-07-01), therefore it is renewed under a lock and stored before it is used. The code of the redirect lasts 30 s.
`oauth1`: four values that the developer console shows for the account that owns the app ("Keys and tokens"); they last
until they are revoked. Each request is signed (HMAC-SHA1); bodies are no part of it, for none is a form.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from cm.channels.http import Http
from cm.channels.oauth import OAuth2
from cm.channels.port import Ask, AuthFailed, Credentials, Values
from cm.i18n import _

Kind = Literal["oauth2", "oauth1"]
API = "https://api.x.com"
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
PARTS = ("client_id", "client_secret", "access_token", "token_secret")
"""What signing needs."""
OAUTH2 = OAuth2(
    authorize_url="https://x.com/i/oauth2/authorize",
    token_url=f"{API}/2/oauth2/token",
    revoke_url=f"{API}/2/oauth2/revoke",
    scopes=SCOPES,
    client_auth="basic",
)


def asks(kind: Kind) -> Sequence[Ask]:
    """What a person must give first."""
    where = _("On console.x.com, in the app, under “Keys and tokens”.")
    if kind == "oauth1":
        return (
            Ask("client_id", _("the app's API key"), hint=where),
            Ask("client_secret", _("the app's API key secret"), secret=True, hint=where),
            Ask("access_token", _("the access token with the right to read and write"), secret=True, hint=where),
            Ask("token_secret", _("the access token secret"), secret=True, hint=where),
        )
    optional = _("On console.x.com, in the app, under “Keys and tokens”; empty for an app without a secret.")
    return (
        Ask("client_id", _("the app's OAuth 2.0 client ID"), hint=where),
        Ask("client_secret", _("the app's OAuth 2.0 client secret"), secret=True, hint=optional),
    )


def four(given: Values) -> Values:
    """The four values of a signed login. Raises AuthFailed naming those that are missing."""
    lacking = [name for name in PARTS if not given.get(name)]
    if lacking:
        raise AuthFailed(_("X: this login lacks {names}.").format(names=", ".join(lacking)))
    return {name: given[name] for name in PARTS}


def bearer(credentials: Credentials, http: Http) -> Mapping[str, str]:
    """The header of an OAuth 2 login, renewed first if it ends soon; empty without one. Raises ChannelError."""
    token = credentials.fresh(lambda values: OAUTH2.renew(http, values)).get("access_token")
    return {"Authorization": f"Bearer {token}"} if token else {}


def signed(values: Values, method: str, url: str) -> Mapping[str, str]:
    """The header of a signed request; empty without a login. Raises AuthFailed where a part is missing."""
    if not values:
        return {}
    # authlib's half of a server comes with it: only for channels that sign
    from authlib.oauth1.rfc5849.client_auth import ClientAuth  # type: ignore[import-untyped]

    parts = four(values)
    signer = ClientAuth(parts["client_id"], parts["client_secret"], parts["access_token"], parts["token_secret"])
    _url, headers, _body = signer.prepare(method, url, {}, "")
    return {"Authorization": str(headers["Authorization"])}


def lacking(values: Values) -> list[str]:
    """Scopes that a stored OAuth 2 login should have and has not; none where it is not known what it has."""
    given = values.get("scope", "").split()
    return [scope for scope in SCOPES if scope not in given] if given else []
