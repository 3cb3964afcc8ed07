"""Logging in for a professional account: through Facebook (its Page's token), or through Instagram itself.

Instagram's own login gives a token of an hour, that one another of 60 days, which is renewed while it lives. Its
exchange and its renewal are GETs that carry secrets in their address, as the pages show them and nothing else. There
is no call that gives such a login back: a person removes the app in Instagram's settings.
"""

from cm.channels.http import Http, Reply
from cm.channels.meta import ANY_REFUSAL, Graph, mapping
from cm.channels.meta_login import PageLogin
from cm.channels.oauth import OAuth2
from cm.channels.port import AuthFailed, ChannelError, Json, Network, Rejected, Values, Visit
from cm.i18n import _

HOST = "https://graph.instagram.com"
OWN_HOSTS = ("graph.instagram.com", "api.instagram.com")
PUBLISHING = ("instagram_basic", "instagram_content_publish")
"""Without these nothing works through Facebook."""
SCOPES = (
    *PUBLISHING,
    "instagram_manage_comments",
    "instagram_manage_contents",
    "instagram_manage_insights",
    "pages_show_list",
    "pages_read_engagement",
)
OWN_SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
)
RENEW_AHEAD = 10 * 86_400.0
"""Seconds before its end at which a token is renewed: it must be a day old by then, and still alive."""


def facebook_login(user: str, network: Network) -> PageLogin:
    """The login that leads to the Page this account is linked to."""
    return PageLogin(
        network,
        name="Instagram",
        scopes=SCOPES,
        chosen=lambda page: mapping(page.get("instagram_business_account")).get("id") == user,
        wanted=_("a Page with the Instagram account {user}").format(user=user),
        named=_named,
    )


class OwnLogin:
    """Instagram's own dialog."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._oauth = OAuth2(
            authorize_url="https://www.instagram.com/oauth/authorize",
            token_url="https://api.instagram.com/oauth/access_token",
            scopes=OWN_SCOPES,
            scope_separator=",",
            pkce=False,
        )

    def begin(self, given: Values, redirect_uri: str) -> Visit:
        """The dialog."""
        return self._oauth.visit(given, redirect_uri)

    def finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """A token of 60 days, with the app's id and secret. Raises ChannelError."""
        http = Http("https://api.instagram.com", name="Instagram", network=self._network)
        try:
            first = self._oauth.finish(http, given, visit, answer)
        finally:
            http.close()
        app = {name: given[name] for name in ("client_id", "client_secret")}
        return {**app, **self._token("access_token", "ig_exchange_token", {**app, **first})}

    def renew(self, values: Values) -> Values:
        """The same login for another 60 days. Raises AuthFailed where only a new one helps."""
        return self._token("refresh_access_token", "ig_refresh_token", values)

    def _token(self, path: str, grant: str, values: Values) -> Values:
        query = [("grant_type", grant), ("access_token", values.get("access_token", ""))]
        if grant == "ig_exchange_token":
            query.append(("client_secret", values["client_secret"]))
        http = Http(HOST, name="Instagram", network=self._network)
        try:
            reply = http.call("GET", f"/{path}", query=query, accept=ANY_REFUSAL)
        finally:
            http.close()
        told = mapping(reply.json)
        if not isinstance(told.get("access_token"), str):
            raise self._refused(reply, values)
        return {name: str(told[name]) for name in ("access_token", "expires_in") if told.get(name)}

    def _refused(self, reply: Reply, values: Values) -> ChannelError:
        """Everything that is not the network's or the server's trouble needs a person."""
        graph = Graph(lambda: values, name="Instagram", network=self._network, host=HOST, proves=False)
        error = graph.refusal(reply, "reading", list(values.values()))
        if isinstance(error, Rejected) or reply.status < 400:
            reason = _("{reason}; log in again with `cm channel login`").format(reason=error.reason)
            return AuthFailed(reason)
        return error


def _named(page: Json) -> str:
    """The account linked to a Page, for people."""
    linked = mapping(page.get("instagram_business_account"))
    return f"@{linked.get('username')} ({linked.get('id')})" if linked else f"{page.get('name')} (–)"
