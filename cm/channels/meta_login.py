"""Logging in through Facebook: a person's yes becomes a token of the Page.

The code of the dialog gives a short token, that one a long one of about 60 days, and that one the Page's own token,
which does not end by itself; it dies with the person's password or role, with the app, and its access to data rests
after 90 days without the person. Neither of the person's tokens is stored. There is no PKCE: it is documented for
logins without the app's secret only, and ours always has it. Code and tokens are exchanged by POST, so that no
address holds them (the reference pages show GET; OAuth 2 asks for POST, and Facebook takes both).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cm.channels.http import Http
from cm.channels.meta import GRAPH, VERSION, Graph, Missing, items, mapping
from cm.channels.oauth import OAuth2
from cm.channels.port import Ask, AuthFailed, Json, Network, Retryable, Values, Visit
from cm.channels.text import shown
from cm.i18n import _

PAGE_FIELDS = "id,name,access_token,tasks,instagram_business_account{id,username}"
TASK = "CREATE_CONTENT"
"""What a person must be allowed on a Page to publish there."""


class PageLogin:
    """The dialog with these scopes; `chosen` tells the Page (or the account linked to it) that is configured."""

    def __init__(
        self,
        network: Network,
        *,
        name: str,
        scopes: Sequence[str],
        chosen: Callable[[Json], bool],
        wanted: str,
        named: Callable[[Json], str],
    ) -> None:
        """`wanted` and `named` are how a person knows what `chosen` looks for, and what is there instead."""
        self._network, self._name, self._chosen, self._wanted, self._named = network, name, chosen, wanted, named
        self._oauth = OAuth2(
            authorize_url=f"https://www.facebook.com/{VERSION}/dialog/oauth",
            token_url=f"{GRAPH}/{VERSION}/oauth/access_token",
            scopes=tuple(scopes),
            scope_separator=",",
            pkce=False,
        )

    def begin(self, given: Values, redirect_uri: str) -> Visit:
        """The dialog."""
        return self._oauth.visit(given, redirect_uri)

    def finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The Page's token, the app's id and secret, and the person's id (to log out with). Raises ChannelError."""
        http = Http(GRAPH, name=self._name, network=self._network)
        try:
            person = self._oauth.finish(http, given, visit, answer)
        finally:
            http.close()
        app = {name: given[name] for name in ("client_id", "client_secret")}
        graph = self._graph({**app, "access_token": person["access_token"]})
        try:
            token = self._long(graph, app, person["access_token"])
        finally:
            graph.close()
        return {**app, **self._of_page({**app, "access_token": token})}

    def logout(self, values: Values) -> None:
        """Take back all that the person allowed the app; a login that is gone is a success. Raises ChannelError.

        By the person's id with the app's own token ("User permissions": either a person's token or the app's), since
        the person's tokens are not kept; a token from elsewhere (of a system user) is asked to do it itself.
        """
        graph = self._graph(values)
        try:
            known = values.get("user_id")
            path = f"{known}/permissions" if known else "me/permissions"
            graph.call("DELETE", path, as_app=bool(known))
        except Missing:
            return
        finally:
            graph.close()

    def _graph(self, values: Values) -> Graph:
        return Graph(lambda: values, name=self._name, network=self._network)

    def _long(self, graph: Graph, app: Values, token: str) -> str:
        form = {"grant_type": "fb_exchange_token", **app, "fb_exchange_token": token}
        return _text(graph, graph.object(graph.call("POST", "oauth/access_token", form=form)), "access_token")

    def _of_page(self, values: Values) -> Values:
        """The chosen Page's token. Raises AuthFailed, naming the Pages there are, where it is not among them."""
        graph = self._graph(values)
        try:
            person = _text(graph, graph.get("me", "id"), "id")
            pages, _complete = graph.listed("me/accounts", PAGE_FIELDS)
        finally:
            graph.close()
        page = next((page for page in items(pages) if self._chosen(page)), None)
        if page is None:
            names = ", ".join(self._named(page) for page in pages) or _("none")
            reason = _("{server}: this login does not reach {wanted}. It reaches: {names}.")
            raise AuthFailed(reason.format(server=self._name, wanted=self._wanted, names=shown(names, 400)))
        tasks = page.get("tasks")
        if isinstance(tasks, list) and TASK not in tasks:
            reason = _("{server}: this person may not publish on {wanted} ({task} is missing).")
            raise AuthFailed(reason.format(server=self._name, wanted=self._wanted, task=TASK))
        return {"access_token": _text(graph, page, "access_token"), "user_id": person}


def inspected(graph: Graph, needed: Sequence[str], target: str | None = None) -> datetime | None:
    """When the login ends: by itself, or because its access to data rests; None if never.

    Raises AuthFailed for a token that is not valid, or that lacks one of the rights `needed`, on `target` if given.
    """
    token = graph.values()["access_token"]
    reply = graph.call("GET", "debug_token", query=[("input_token", token)], as_app=True)
    told = mapping(graph.object(reply).get("data"))
    if told.get("is_valid") is not True:
        reason = _("{server}: the token is not valid any more: log in again with `cm channel login`.")
        raise AuthFailed(reason.format(server=graph.name))
    missing = [scope for scope in needed if not _granted(told, scope, target)]
    if missing:
        reason = _("{server}: rights are missing: {scopes}. Log in again and allow all that is asked.")
        raise AuthFailed(reason.format(server=graph.name, scopes=", ".join(missing)))
    ends = [_instant(told.get(name)) for name in ("expires_at", "data_access_expires_at")]
    return min((end for end in ends if end), default=None)


def _granted(told: Json, scope: str, target: str | None) -> bool:
    """True if the token has the right; where rights are granted for some objects only, for this one."""
    scopes = told.get("scopes")
    if not isinstance(scopes, list) or scope not in scopes:
        return False
    several = [each.get("target_ids") for each in items(told.get("granular_scopes")) if each.get("scope") == scope]
    return target is None or all(not isinstance(ids, list) or target in map(str, ids) for ids in several)


def _instant(seconds: object) -> datetime | None:
    """Epoch seconds as an instant; None for 0, which is how Graph says never."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def app_asks() -> tuple[Ask, ...]:
    """The app's id and secret."""
    hint = _("developers.facebook.com, your app, App settings, Basic")
    return (
        Ask("client_id", _("App ID"), hint=hint),
        Ask("client_secret", _("App secret"), secret=True, hint=hint),
    )


def _text(graph: Graph, of: Json, name: str) -> str:
    value = of.get(name)
    if not isinstance(value, str) or not value:
        raise Retryable(_("{server} gave an answer of another shape").format(server=graph.name))
    return value
