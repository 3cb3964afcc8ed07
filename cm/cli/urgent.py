"""`cm add --urgent`: one text on every channel now; who gets it is shown, then a person says yes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm.cli import bulk
from cm.cli.editor import at_terminal
from cm.cli.options import read_text
from cm.cli.render import say
from cm.cli.writing import APART, USUAL_KIND, Source, inside
from cm.errors import CmError, Refused, UsageError
from cm.formats import plural
from cm.i18n import _
from cm.model.words import state_word

if TYPE_CHECKING:
    from cm.calendar.urgent import Variant
    from cm.calendar.views import PostView
    from cm.env import Env
    from cm.workspace import Workspace

ALL = "all"


def source_given(
    words: Sequence[str] | None, text: str | None, file: Path | None, *, statement: bool, later: bool
) -> Source | None:
    """Where the text comes from; None for the configured statement. Raises UsageError: none given, or two; or it is
    not to go out now (`later`)."""
    if later:
        raise UsageError(_("An urgent text goes out now: it is no draft."), hint=_("Leave --draft and --resume out."))
    given = [bool(words), text is not None, file is not None, statement]
    if sum(given) != 1:
        raise UsageError(
            _("An urgent or crisis text is given at once, and once."),
            hint=_("Give it as words, by --text TEXT, -F FILE or --statement."),
        )
    if statement:
        return None
    return (" ".join(words), None) if words else (text, file)


def tell_everywhere(
    opened: "Workspace",
    source: Source | None,
    names: Sequence[str] | None,
    options: dict[str, Any],
    *,
    yes: bool,
    quiet: bool,
) -> "list[PostView]":
    """Write the text for these channels (none named: all that are active), due now, outside the quota. Who gets it
    is told where a person is asked, also if a program will read the answer (`quiet`).

    Raises Refused (held, declined, cannot be split, told a moment ago and not to be told `again`), UsageError (nobody
    can be asked).
    """
    from cm.calendar.telling import tell
    from cm.calendar.urgent import statement_for, variants
    from cm.calendar.writing import Marks
    from cm.publishing.obstacles import noting

    env, crisis = opened.env, bool(options.get("crisis"))
    channels = _channels(env, names, inside=bool(options.get("internal")))
    if not crisis:
        _refuse_held(env, channels)
    text = read_text(*source) or "" if source else None
    given = {"kind": "crisis" if crisis else USUAL_KIND, **options, **inside(env, options)}
    words = {name: value for name, value in given.items() if name not in APART}
    words["wall"] = _wall(env, options.get("at"))

    def text_for(name: str) -> str:
        return text if text is not None else statement_for(env.config, name)

    found = variants(env, channels, text_for, lambda name: _declared(opened, name), words)
    if not options.get("again"):
        _refuse_twice(env, found)
    if not yes:
        _ask(found)
    marks = Marks(urgent=True, crisis=crisis, in_quota=False)
    return list(noting(env, tell(env, [one.new for one in found], over=options.get("over"), marks=marks)))


def _channels(env: "Env", names: Sequence[str] | None, *, inside: bool) -> list[str]:
    from cm.calendar.shortnames import channels_called
    from cm.calendar.urgent import everywhere

    if names and not (list(names) == [ALL] and ALL not in env.config.channels):
        return channels_called(env.config, names)
    return everywhere(env.config, inside_only=inside)


def _refuse_held(env: "Env", channels: Sequence[str]) -> None:
    """Without the crisis mark it would be missed at once."""
    from cm.cli.render_hold import sentence
    from cm.publishing.holds import active

    held = next((hold for hold in active(env) if any(map(hold.covers, channels))), None)
    if held:
        raise Refused(sentence(held, env), hint=_("--crisis lets this text pass; `cm hold off` ends the hold."))


def _refuse_twice(env: "Env", found: "Sequence[Variant]") -> None:
    """The same words went out, or wait to, a moment ago: a second keystroke, a second person, a script run twice."""
    from cm.calendar.urgent import told_already

    known = told_already(env, found)
    if not known:
        return
    names = ", ".join(f"{one.id} {one.channel} ({state_word(one.state)})" for one in known)
    raise Refused(
        _("These very words were told less than 24 hours ago: {names}.").format(names=names),
        hint=_("`cm post retry ID` tries what failed or was missed again; --again tells it all once more."),
        details={"posts": [one.id for one in known]},
    )


def say_if_held(env: "Env", names: Sequence[str], *, crisis: bool, kind: str | None) -> None:
    """A post that was just planned may meet a hold; and its kind lets nothing pass."""
    from cm.calendar.shortnames import channels_called
    from cm.cli.render_hold import sentence
    from cm.publishing.holds import active

    channels = channels_called(env.config, names) if names else list(env.config.channels)
    held = next((hold for hold in active(env) if any(map(hold.covers, channels))), None)
    if held and not crisis:
        say(sentence(held, env))
        say("  " + _("A post whose time comes under the hold is missed → cm edit ID --crisis lets it pass"))
    elif kind == "crisis" and not crisis:
        say(_("Its kind alone passes no hold → cm edit ID --crisis"))


def _wall(env: "Env", at: str | None) -> Any:
    if at is None:
        return None
    from cm.calendar.times import read_when

    return read_when(at, now=env.now, zone=env.zone).wall


def _declared(opened: "Workspace", channel: str) -> int | None:
    """What the adapter says of its longest text; one that cannot be had says nothing, and its post will tell why."""
    try:
        return opened.adapter(channel).capabilities.max_characters
    except CmError:
        return None


def _ask(found: "Sequence[Variant]") -> None:
    """Show every channel with its text, and ask. Raises UsageError (nobody can be asked), Refused (declined)."""
    if not at_terminal():
        raise UsageError(
            _("It goes out at once, and nobody can be asked."),
            hint=_("Give --yes to send it to: {names}.").format(names=", ".join(one.channel for one in found)),
        )
    for one in found:
        readers = _("people inside") if one.internal else _("public")
        length = plural("{n} message", "{n} messages", len(one.parts))
        say(f"{one.channel} · {readers} · {length}")
        for part in one.parts:
            say("  " + part.replace("\n", "\n  "))
        if one.stopped:
            say("  " + _("The channel rests: {reason}").format(reason=one.stopped))
    bulk.ask(plural("Send it to {n} channel now?", "Send it to {n} channels now?", len(found)))
