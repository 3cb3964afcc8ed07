"""`cm channel login` and `logout`: a person gives cm what it needs to speak for an account, or takes it back."""

import getpass
import os
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from cm.cli import completion
from cm.cli.bulk import ask
from cm.cli.editor import at_terminal, line
from cm.cli.options import Json, workspace
from cm.cli.render import emit_json, say
from cm.cli.terminal import safe
from cm.errors import NetworkTrouble, PersonNeeded, Refused, UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from cm.channels.port import AccountInfo, Ask, ChannelError, Logins, Values, Visit
    from cm.publishing.accounts import Work
    from cm.secrets import Login
    from cm.workspace import Workspace

LOGIN = _("Log in for a channel: asks what its platform needs, keeps it (0600) and looks who we are there.")
LOGOUT = _("Let the platform forget a channel's login, and delete it here.")
PASTE_PORT = 8453
"""Nobody listens there: the browser shows an error, and the address of that page is what is pasted."""

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.channels, help=_("The channel's name."))]


def login(
    ctx: typer.Context,
    name: Name,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="KEY=VALUE",
            help=_("Answer a question beforehand; KEY=- reads a line of standard input, the only way for secrets."),
        ),
    ] = None,
    paste: Annotated[
        bool, typer.Option("--paste", help=_("Open no browser: paste the code, or the address you were sent to."))
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1024,
            max=65535,
            help=_("Port of the redirect address http://127.0.0.1:PORT/, where the app must list it exactly."),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Exit 6 when the platform cannot be reached, 7 when it says no: then what was stored before is stored still."""
    from cm.channels.port import ChannelError
    from cm.publishing import logins

    with workspace(ctx, warn=False) as opened:
        work, known = _of_channel(opened, name)
        known.place.prove("")
        try:
            values = _visited(work, _given(_asks(work), given or (), known.usable()), paste=paste, port=port)
        except ChannelError as error:
            raise refused_by(name, error, _("Nothing was changed.")) from None
        try:
            info = logins.keep(opened.env, work, known, values, _waiting)
        except ChannelError as error:
            raise refused_by(name, error, _after(name, error)) from None
        _tell(opened, known, info, as_json=as_json)


def _waiting() -> None:
    say(_("Another run of cm works this account: waiting for it…"))


def _after(name: str, error: "ChannelError") -> str:
    """What has become of the login that the platform did not accept as ours."""
    from cm.channels.port import RateLimited, Retryable, UnknownOutcome
    from cm.publishing.accounts import AnotherIdentity

    if isinstance(error, AnotherIdentity):
        return _("The login is kept; until you say that it is right, nothing is sent for {name}.").format(name=name)
    if not isinstance(error, (Retryable, RateLimited, UnknownOutcome)):
        return _("It was not kept: what was stored before is stored still.")
    said = _("The login is kept. Before anything is sent the platform is asked again; or: cm channel check {name}")
    return said.format(name=name)


def _of_channel(opened: "Workspace", name: str) -> "tuple[Work, Login]":
    """Raises NotFound, WorkspaceError, or Refused for a channel that needs no login."""
    from cm.publishing import accounts

    adapter = opened.adapter(name)
    if adapter.capabilities.simulated or adapter.capabilities.delivery == "person":
        raise Refused(
            _("{name} needs no login: nothing of it reaches a network.").format(name=name),
            hint=_("Name the platform's own adapter in config.yaml first."),
        )
    return accounts.ensure_all(opened.env, {name: adapter})[0], opened.login(name)


def _asks(work: "Work") -> "Sequence[Ask]":
    """What the platform needs; a token alone where its adapter knows no way to log in."""
    from cm.channels.port import Ask, Logins

    if isinstance(work.adapter, Logins):
        return work.adapter.login_asks()
    return [Ask("access_token", _("Access token"), secret=True)]


# --- what is asked first ----------------------------------------------------------------------------------------------


def _given(asks: "Sequence[Ask]", options: Sequence[str], stored: "Values") -> dict[str, str]:
    """An answer to every question: from the options, else typed, else as stored before; empty ones are left out.

    Raises UsageError.
    """
    answers = _from_options(asks, options)
    for each in asks:
        if each.key in answers:
            continue
        kept = stored.get(each.key, "")
        if at_terminal():
            answers[each.key] = _typed(each, kept)
        elif kept:
            answers[each.key] = kept
        if not answers.get(each.key) and not each.optional:
            raise UsageError(
                _("{what} is missing.").format(what=each.label),
                hint=" ".join(filter(None, (each.hint, f"--given {each.key}={'-' if each.secret else '…'}"))),
            )
    return {key: answer for key, answer in answers.items() if answer}


def _from_options(asks: "Sequence[Ask]", options: Sequence[str]) -> dict[str, str]:
    known = {each.key: each for each in asks}
    answers = {}
    for option in options:
        key, sign, value = option.partition("=")
        if not sign or key not in known:
            hint = _("Use one of: {names}.").format(names=", ".join(f"{each}=…" for each in known) or "–")
            raise UsageError(_("--given {key} answers no question here.").format(key=key), hint=hint)
        if known[key].secret and value != "-":
            said = _("{what} is secret: it must not stand on the command line, where others can read it.")
            hint = _("Write --given {key}=- and pipe it in.").format(key=key)
            raise UsageError(said.format(what=known[key].label), hint=hint)
        answers[key] = (sys.stdin.readline() if value == "-" else value).strip()
    return answers


def _typed(each: "Ask", kept: str) -> str:
    """What a person types; Enter alone keeps what is stored. Secrets are not shown."""
    if each.hint:
        say(each.hint)
    shown = _("as before") if each.secret else kept
    question = f"{each.label} [{shown}]: " if kept else f"{each.label}: "
    typed = getpass.getpass(question) if each.secret else line(question)
    return typed.strip() or kept


# --- the visit --------------------------------------------------------------------------------------------------------


def _visited(work: "Work", given: "Values", *, paste: bool, port: int | None) -> "Values":
    """What is to be stored, after a visit in the browser where the platform wants one. Raises ChannelError."""
    from cm.channels.port import Logins

    if not isinstance(work.adapter, Logins):
        return given
    if paste or not _has_browser():
        return _pasted(work.adapter, given, f"http://{_own_name(work.adapter)}:{port or PASTE_PORT}/")
    return _browsed(work.adapter, given, port or 0)


def _own_name(adapter: "Logins") -> str:
    """How a platform wants this machine called in redirect addresses; some take `localhost` only."""
    return str(getattr(adapter, "redirect_name", "127.0.0.1"))


def _has_browser() -> bool:
    """A window can be opened: a browser in text would take this terminal."""
    if sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _browsed(adapter: "Logins", given: "Values", port: int) -> "Values":
    from cm.channels.port import Visit
    from cm.cli.loopback import MINUTES, Loopback

    try:
        page = Loopback(port, _own_name(adapter))
    except OSError:
        raise UsageError(
            _("Port {port} of this machine is taken.").format(port=port), hint=_("Name another --port, or use --paste.")
        ) from None
    with page:
        visit = adapter.login_begin(given, redirect_uri=page.address)
        if not isinstance(visit, Visit):
            return visit
        _send_there(visit, page.address)
        webbrowser.open(visit.url)  # if it does not come, the person has the address
        if visit.pasted:
            answer = _answer_typed(visit)
        elif (found := page.wait(visit.state)) is None:
            raise Refused(
                _("No answer came within {n} minutes.").format(n=MINUTES), hint=_("Try again, perhaps with --paste.")
            )
        else:
            answer = found
    return adapter.login_finish(given, visit, answer)


def _pasted(adapter: "Logins", given: "Values", redirect: str) -> "Values":
    from cm.channels.port import Visit

    visit = adapter.login_begin(given, redirect_uri=redirect)
    if not isinstance(visit, Visit):
        return visit
    _send_there(visit, redirect)
    return adapter.login_finish(given, visit, _answer_typed(visit))


def _send_there(visit: "Visit", redirect: str) -> None:
    """Say where the person must say yes; the address is needed whole, on a line of its own."""
    say(_("Say yes on this page, in a browser:"))
    sys.stderr.write(f"{safe(visit.url)}\n")  # in one piece, whatever the terminal's width
    sys.stderr.flush()
    if not visit.pasted:
        said = _("The app must list the redirect address {address} there (another port: --port).")
        say(said.format(address=redirect))


def _answer_typed(visit: "Visit") -> Mapping[str, str]:
    """A code, or the whole address that the browser was sent to. Raises Refused for another visit's, or for none."""
    from cm.cli.loopback import answer_of, is_ours

    typed = line(_("The code, or the whole address of the page you were sent to: ")).strip()
    if not typed:
        raise Refused(_("Nothing was pasted; nothing was changed."))
    if "=" not in typed or "://" not in typed:
        return {"code": typed}
    parts = urlsplit(typed)
    answer = answer_of(parts.query or parts.fragment)
    if visit.state and not is_ours(answer, visit.state):
        raise Refused(
            _("This address does not belong to this login: its `state` is another one."),
            hint=_("Open the page anew, and paste what comes of it at once."),
        )
    return answer


# --- what is told -----------------------------------------------------------------------------------------------------


def _tell(opened: "Workspace", known: "Login", info: "AccountInfo", *, as_json: bool) -> None:
    name, ends = known.channel, info.token_expires_at
    if as_json:
        facts: dict[str, Any] = {"remote_id": info.remote_id, "handle": info.handle, "stored": known.place.reference}
        emit_json({"channel": name, **facts, "ends_at": ends.isoformat() if ends else None})
        return
    said = _("{name}: we are {handle} ({id}). The login is kept in {place}.")
    say(said.format(name=name, handle=info.handle, id=info.remote_id, place=known.place.reference))
    if ends:
        until = f"{ends.astimezone(opened.env.zone):%Y-%m-%d %H:%M}"
        say(_("It lasts until {time}; owner and deputy are told 14, 7, 2 and 1 days before.").format(time=until))


def refused_by(name: str, error: "ChannelError", hint: str) -> PersonNeeded | NetworkTrouble:
    """What a person is told when the platform did not answer as it should."""
    from cm.channels.port import AuthFailed, Rejected

    kind = PersonNeeded if isinstance(error, AuthFailed | Rejected) else NetworkTrouble
    return kind(_("{name}: {reason}").format(name=name, reason=error.reason), hint=hint, details={"channel": name})


# --- logout -----------------------------------------------------------------------------------------------------------


def logout(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help=_("Delete it here even if the platform cannot be told."))
    ] = False,
    as_json: Json = False,
) -> None:
    """What is stored stays where the platform cannot be told (exit 6 or 7), unless `--forget`."""
    from cm.channels.port import ChannelError
    from cm.publishing import logins

    with workspace(ctx, warn=False) as opened:
        work, known = _of_channel(opened, name)
        if not yes and (forget or known.read()):
            _confirm(opened, name)
        try:
            gone = logins.give_back(opened.env, work, known, forget=forget)
        except ChannelError as error:
            hint = _("The login is kept. Delete it here alone by: cm channel logout {name} --forget")
            raise refused_by(name, error, hint.format(name=name)) from None
    if as_json:
        emit_json({"channel": name, "stored": known.place.reference, "deleted": gone})
    elif gone:
        say(_("{name}: logged out, and deleted from {place}.").format(name=name, place=known.place.reference))
    else:
        say(_("{name}: there was no login.").format(name=name))


def _confirm(opened: "Workspace", name: str) -> None:
    """Raises UsageError where nobody can be asked, Refused for anything but yes."""
    if not at_terminal():
        raise UsageError(
            _("The login of {name} would be deleted, and nobody can be asked.").format(name=name),
            hint=_("Give --yes to do it."),
        )
    channel = opened.config.channels[name]
    said = _("Log out of {account} on {platform}? Posts of {name} wait until somebody logs in again.")
    ask(said.format(account=channel.account, platform=channel.platform, name=name))
