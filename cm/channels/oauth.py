"""OAuth 2 as adapters use it: the page to visit, the code made into a login, the login renewed and given back.

PKCE (RFC 7636, S256) and `state` are authlib's; requests go through our `Http`, so that proxy, certificates and
timeouts are those of the institution. What a token endpoint says is quoted without anything that was sent to it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote_plus, urlencode

from cm.channels.http import Http, Reply
from cm.channels.port import AuthFailed, ChannelError, Rejected, Retryable, Values, Visit
from cm.channels.text import shown
from cm.i18n import _

STORED = ("access_token", "refresh_token", "expires_in", "refresh_token_expires_in", "scope")
"""What is kept of a token endpoint's answer (RFC 6749 section 5.1; the fourth is LinkedIn's, Google's and TikTok's)."""
GONE = ("invalid_token", "invalid_grant")
"""Answers to a revocation that say there is nothing left to revoke (RFC 7009 wants a 200, Google gives a 400)."""
VERIFIER_LENGTH = 64
"""Characters of a PKCE verifier: 43 to 128."""
SECRET = ("code", "code_verifier", "token", "access_token", "refresh_token", "client_secret")
"""What is sent and never quoted."""
ANY_REFUSAL = range(400, 600)


@dataclass(frozen=True)
class OAuth2:
    """One platform's OAuth 2. `extra` goes into the query of the page to visit (`access_type=offline`…).

    `client_auth`: where the app's secret stands in requests, if it has one. `pkce`: off for a platform that refuses it.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    revoke_url: str | None = None
    client_auth: Literal["body", "basic"] = "body"
    scope_separator: str = " "
    extra: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = True

    def visit(self, given: Values, redirect_uri: str) -> Visit:
        """The page on which a person says yes. `given` holds `client_id`. Pure but for chance."""
        # authlib loads half of a server's side: only for a login
        from authlib.common.security import generate_token  # type: ignore[import-untyped]
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

        state, verifier = generate_token(32), generate_token(VERIFIER_LENGTH)
        query = {
            "response_type": "code",
            "client_id": given.get("client_id", ""),
            "redirect_uri": redirect_uri,
            "scope": self.scope_separator.join(self.scopes),
            "state": state,
            **self.extra,
        }
        saved = {"redirect_uri": redirect_uri}
        if self.pkce:
            query |= {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
            saved["code_verifier"] = verifier
        joint = "&" if "?" in self.authorize_url else "?"
        return Visit(f"{self.authorize_url}{joint}{urlencode(query)}", state, saved, redirect_uri.startswith("urn:"))

    def finish(self, http: Http, given: Values, visit: Visit, answer: Values) -> Values:
        """The login that the code is good for, with the app's own id and secret.

        Raises AuthFailed where the person said no or the code is not taken; else ChannelError.
        """
        if not answer.get("code"):
            said = shown(answer.get("error_description") or answer.get("error") or _("no code came back"))
            raise AuthFailed(_("{server}: the login was not granted: {said}").format(server=http.name, said=said))
        app = {name: given[name] for name in ("client_id", "client_secret") if given.get(name)}
        form = {"grant_type": "authorization_code", "code": answer["code"], **visit.saved}
        return {**self._tokens(http, app, form), **app}

    def renew(self, http: Http, values: Values) -> Values:
        """What has changed: a new `access_token`, often a new `refresh_token` too. To be stored before it is used.

        Raises AuthFailed where only a new login helps, Retryable where the network failed.
        """
        if not values.get("refresh_token"):
            reason = _("{server}: the login has ended and cannot be renewed: log in again with `cm channel login`.")
            raise AuthFailed(reason.format(server=http.name))
        form = {"grant_type": "refresh_token", "refresh_token": values["refresh_token"]}
        return self._tokens(http, values, form)

    def revoke(self, http: Http, values: Values) -> None:
        """Let the platform forget the login, the refresh token first; without `revoke_url` there is nothing to ask.

        Raises ChannelError; what is gone already is a success.
        """
        for name in ("refresh_token", "access_token"):
            if self.revoke_url is None or not values.get(name):
                continue
            form = {"token": values[name], "token_type_hint": name}
            reply = self._post(http, self.revoke_url, values, form)
            if reply.status >= 400 and _told(reply)[0] not in GONE:
                raise _refusal(http, reply, {**values, **form})

    def _tokens(self, http: Http, app: Values, form: Mapping[str, str]) -> Values:
        reply = self._post(http, self.token_url, app, form)
        if reply.status >= 400 or _told(reply)[0]:
            raise _refusal(http, reply, {**app, **form})
        told = reply.json if isinstance(reply.json, dict) else {}
        stored = {name: str(told[name]) for name in STORED if isinstance(told.get(name), str | int) and told[name]}
        if "access_token" not in stored:
            raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
        return stored

    def _post(self, http: Http, url: str, app: Values, form: Mapping[str, str]) -> Reply:
        """Give the app's id, and its secret where the platform wants it, with the form."""
        ident, secret = app.get("client_id", ""), app.get("client_secret", "")
        headers: dict[str, str] = {}
        if secret and self.client_auth == "basic":
            pair = f"{quote_plus(ident)}:{quote_plus(secret)}".encode()  # RFC 6749 section 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            named = {}
        else:
            named = {"client_id": ident, **({"client_secret": secret} if secret else {})}
        whole = {**form, **named}
        return http.call("POST", url, form=whole, headers=headers, accept=ANY_REFUSAL, anonymous=True)


def _told(reply: Reply) -> tuple[str, str]:
    """The error's code and what is said of it (RFC 6749 section 5.2; Facebook's is an object); empty without one."""
    body = reply.json if isinstance(reply.json, dict) else {}
    error = body.get("error")
    code, said = error, body.get("error_description")
    if isinstance(error, dict):
        code, said = error.get("type") or "error", error.get("message")
    return code if isinstance(code, str) else "", said if isinstance(said, str) else ""


def _refusal(http: Http, reply: Reply, sent: Values) -> ChannelError:
    """Everything that is not the network's or the server's own trouble needs a person."""
    said = ": ".join(word for word in _told(reply) if word)
    for secret in sorted((sent[name] for name in SECRET if sent.get(name)), key=len, reverse=True):
        said = said.replace(secret, "…")
    said = shown(said)
    error = http.refusal(replace(reply, message=said))
    if isinstance(error, AuthFailed | Rejected) or reply.status < 400:
        reason = _("{server} does not accept this login ({said}): log in again with `cm channel login`.")
        return AuthFailed(reason.format(server=http.name, said=said or reply.status))
    return error
