"""From what a person gives to what is kept: `NewPost` → `Spec` → the columns of a post.

A `Spec` is everything that is written about a post apart from its time and its life. It is the common
form of `post add`, `post edit`, a CSV row and a stored post, so that they can be compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, ValidationError

from cm.calendar import cleaning, derivatives
from cm.calendar.cleaning import known_audiences, known_kind, known_objective
from cm.calendar.media import MediaShelf
from cm.calendar.whereto import platform_of
from cm.checks.content import compose, content_hash, fingerprint
from cm.checks.rules import exposed, findings, is_internal
from cm.config import Config
from cm.env import Env
from cm.errors import NotFound, Refused, UsageError
from cm.formats import labelled
from cm.i18n import _
from cm.model.facts import Finding, MediaContent, PostContent

M = TypeVar("M", bound="_Given")


def _cleaned(clean: Any, *, optional: bool = False) -> BeforeValidator:
    """Runs `clean` on a given string; a blank optional one becomes None."""

    def apply(value: object) -> object:
        if not isinstance(value, str):
            return value
        return clean(value) if value.strip() or not optional else None

    return BeforeValidator(apply)


def _clean_items(values: object) -> object:
    return tuple(map(cleaning.clean_text, values)) if isinstance(values, list | tuple) else values


Text = Annotated[str, _cleaned(cleaning.clean_text)]
Word = Annotated[str, _cleaned(cleaning.clean_word)]
OptionalText = Annotated[str | None, _cleaned(cleaning.clean_text, optional=True)]
OptionalWord = Annotated[str | None, _cleaned(cleaning.clean_word, optional=True)]
Ref = Annotated[str | None, _cleaned(cleaning.clean_ref, optional=True)]
Story = Annotated[str | None, _cleaned(cleaning.clean_story, optional=True)]
Link = Annotated[str | None, _cleaned(cleaning.clean_link, optional=True)]
Language = Annotated[str | None, _cleaned(cleaning.clean_language, optional=True)]
Items = Annotated[tuple[str, ...], BeforeValidator(_clean_items)]


def _clean_given_wall(value: object) -> object:
    return cleaning.clean_wall(value) if isinstance(value, datetime) else value


Wall = Annotated[datetime | None, BeforeValidator(_clean_given_wall)]


class _Given(BaseModel):
    """What a person gives; `notes` say what was cleaned out of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    _notes: tuple[str, ...] = PrivateAttr(())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person is to be told of their words."""
        return self._notes


class NewPost(_Given):
    """A post as a person gives it. Build it with `new_post`, which cleans it and explains what is wrong with it."""

    channel: Word
    kind: Word
    text: Text
    wall: Wall = None
    """Local time; None = the next open slot."""
    ref: Ref = None
    story: Story = None
    fields: dict[str, str] = {}
    theme: OptionalWord = None
    campaign: OptionalWord = None
    objective: OptionalWord = None
    audiences: Items = ()
    """None given: those of the channel."""
    language: Language = None
    link: Link = None
    media: Items = ()
    """Paths below `media/`."""
    alt: Items = ()
    """A text alternative for each medium, in order."""
    first_comment: OptionalText = None


class PostChanges(_Given):
    """What `post edit` changes: the fields that are given. None or blank clears an optional one.

    `fields` are merged into those of the post; a blank value takes one out.
    """

    kind: Word = ""
    text: Text = ""
    ref: Ref = None
    story: Story = None
    fields: dict[str, str] = {}
    theme: OptionalWord = None
    campaign: OptionalWord = None
    objective: OptionalWord = None
    audiences: Items = ()
    language: Language = None
    link: Link = None
    media: Items = ()
    alt: Items = ()
    first_comment: OptionalText = None


def new_post(**values: Any) -> NewPost:
    """A NewPost. Raises UsageError, naming the field and what is wrong with it."""
    return _built(NewPost, values)


def post_changes(**values: Any) -> PostChanges:
    """A PostChanges. Raises UsageError."""
    return _built(PostChanges, values)


def _built(model: type[M], values: Mapping[str, Any]) -> M:
    clean, notes = cleaning.tidied(values)
    try:
        given = model.model_validate(clean)
        given._notes = notes
        return given
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
    said = [
        labelled(".".join(map(str, fault["loc"])), str(fault["msg"]).removeprefix("Value error, ")) for fault in faults
    ]
    raise UsageError("\n".join(said), hint=_("Correct it and try again; nothing was written."))


@dataclass(frozen=True, slots=True)
class Spec:
    """All that is written about a post but its time: clean, known, complete."""

    channel: str
    kind: str
    text: str
    audiences: tuple[str, ...]
    language: str
    ref: str | None = None
    story: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    theme: str | None = None
    campaign: str | None = None
    objective: str | None = None
    link: str | None = None
    media: tuple[MediaContent, ...] = ()
    first_comment: str | None = None
    visibility: str = "public"


@dataclass(frozen=True, slots=True)
class Composed:
    """A spec as it will be sent: its content, the hash of it, what each message looks like."""

    content: PostContent
    content_hash: str
    fingerprints: tuple[str, ...]


def composed(spec: Spec) -> Composed:
    """The messages of a spec and their hashes."""
    content = compose(
        channel=spec.channel,
        kind=spec.kind,
        language=spec.language,
        audiences=spec.audiences,
        text=spec.text,
        link=spec.link,
        first_comment=spec.first_comment,
        media=spec.media,
        visibility=spec.visibility,
        fields=spec.fields,
    )
    return Composed(content, content_hash(content), tuple(map(fingerprint, content.messages)))


def columns_of(spec: Spec, made: Composed) -> dict[str, Any]:
    """The columns of `post` that hold the words of a spec (ref and story apart)."""
    return {
        "kind": spec.kind,
        "fields": spec.fields,
        "theme": spec.theme,
        "campaign": spec.campaign,
        "objective": spec.objective,
        "audiences": list(spec.audiences),
        "language": spec.language,
        "text": spec.text,
        "link": spec.link,
        "first_comment": spec.first_comment,
        "visibility": spec.visibility,
        "content_hash": made.content_hash,
    }


def check(env: Env, content: PostContent) -> tuple[Finding, ...]:
    """What the rules say of a content, under this configuration and as its channel was last measured."""
    config = env.config
    channel = config.channels.get(content.channel)
    served = channel.audiences if channel else ()
    return findings(
        content,
        required_fields=config.required_fields,
        channel_audiences=served,
        internal_audiences=config.internal_audiences,
        platform=platform_of(env, content.channel),
    )


def exposed_by(config: Config, spec: Spec) -> str | None:
    """Why an internal post must not stand on its channel; None if it may."""
    channel = config.channels.get(spec.channel)
    served = channel.audiences if channel else ()
    return exposed(spec.channel, spec.audiences, served, config.internal_audiences)


def inner_channels(config: Config) -> list[str]:
    """The channels that only people inside read."""
    internal = config.internal_audiences
    return [name for name, channel in config.channels.items() if is_internal(channel.audiences, internal)]


def keep_inside(config: Config, spec: Spec) -> None:
    """Nobody plans an internal post for a channel that others read. Raises Refused."""
    if reason := exposed_by(config, spec):
        hint = _("Channels for people inside: {names}.").format(names=", ".join(inner_channels(config)) or "–")
        raise Refused(reason, hint=hint, details={"rule": "audience.internal", "channel": spec.channel})


def spec_of(env: Env, new: NewPost) -> Spec:
    """What is kept of a new post.

    Raises NotFound (channel), UsageError (kind, audience, field), Refused (no text and no medium, a file
    that may not be used).
    """
    channel = env.config.channels.get(new.channel)
    if channel is None:
        raise unknown_channel(env.config, new.channel)
    with _saying("kind"):
        kind = known_kind(env.config, new.kind)
    with _saying("audiences"):
        audiences = known_audiences(env.config, new.audiences) or channel.audiences
    with _saying("fields"):
        fields = cleaning.clean_fields(new.fields)
    with _saying("objective"):
        objective = known_objective(env.config, new.objective)
    media = media_of(env, new.channel, new.media, new.alt)
    spec = Spec(
        channel=new.channel,
        kind=kind,
        text=new.text,
        audiences=audiences,
        language=new.language or env.config.language_of(new.channel),
        ref=new.ref,
        story=new.story,
        fields=fields,
        theme=new.theme,
        campaign=new.campaign,
        objective=objective,
        link=new.link,
        media=media,
        first_comment=new.first_comment,
    )
    return _with_something_to_say(spec)


def changed(env: Env, spec: Spec, changes: PostChanges) -> Spec:
    """The spec with the changes made. Raises as `spec_of`."""
    given = changes.model_fields_set
    simple = ("text", "ref", "story", "theme", "campaign", "link", "first_comment")
    values: dict[str, Any] = {name: getattr(changes, name) for name in simple if name in given}
    if "kind" in given:
        with _saying("kind"):
            values["kind"] = known_kind(env.config, changes.kind)
    if "objective" in given:
        with _saying("objective"):
            values["objective"] = known_objective(env.config, changes.objective)
    if "audiences" in given:
        with _saying("audiences"):
            known = known_audiences(env.config, changes.audiences)
            values["audiences"] = known or env.config.channels[spec.channel].audiences
    if "language" in given:
        values["language"] = changes.language or env.config.language_of(spec.channel)
    if "fields" in given:
        with _saying("fields"):
            values["fields"] = cleaning.clean_fields({**spec.fields, **changes.fields})
    if given & {"media", "alt"}:
        values["media"] = _changed_media(env, spec, changes)
    return _with_something_to_say(replace(spec, **values))


def _changed_media(env: Env, spec: Spec, changes: PostChanges) -> tuple[MediaContent, ...]:
    given = changes.model_fields_set
    paths = changes.media if "media" in given else [medium.path for medium in spec.media]
    alts = {medium.path: medium.alt for medium in spec.media}
    alt = changes.alt if "alt" in given else [alts.get(path, "") for path in paths]
    return media_of(env, spec.channel, paths, alt)


def media_of(env: Env, channel: str, paths: Sequence[str], alts: Sequence[str]) -> tuple[MediaContent, ...]:
    """The files of a post with their text alternatives; what is sent in their place is made, if it can be.

    Raises Refused: a file that may not be used, or that does not fit the channel's platform.
    """
    shelf = MediaShelf(env.root)
    try:
        media = paired(shelf, paths, alts)
    except ValueError as error:
        raise Refused(
            _("media: {why}.").format(why=error), hint=_("Put the file into the workspace's folder media/.")
        ) from None
    derivatives.make(env, channel, media)
    return media


def paired(shelf: MediaShelf, paths: Sequence[str], alts: Sequence[str]) -> tuple[MediaContent, ...]:
    """Media and their text alternatives, in order; missing ones are empty. Raises ValueError."""
    if len(alts) > len(paths):
        raise ValueError(_("{alts} text alternatives for {n} files").format(alts=len(alts), n=len(paths)))
    if len(set(paths)) < len(paths):
        raise ValueError(_("a file stands twice"))
    filled = [*alts, *[""] * (len(paths) - len(alts))]
    return tuple(shelf.medium(path, alt) for path, alt in zip(paths, filled, strict=True))


def unknown_channel(config: Config, name: str) -> NotFound:
    """There is no such channel; perhaps one of a similar name was meant."""
    from difflib import get_close_matches

    names = ", ".join(config.channels) or "–"
    meant = get_close_matches(name.casefold(), config.channels, n=1, cutoff=0.5)
    hint = _("Did you mean {meant}? There are: {names}.") if meant else _("Use one of: {names}.")
    return NotFound(
        _("There is no channel {name!r}.").format(name=name),
        hint=hint.format(meant=meant[0] if meant else "", names=names),
    )


def _with_something_to_say(spec: Spec) -> Spec:
    if not spec.text.strip() and not spec.media:
        raise Refused(_("There is neither text nor a picture."), hint=_("Write a text or name a file of media/."))
    return spec


@contextmanager
def _saying(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise UsageError(
            labelled(name, f"{error}."), hint=_("Correct it and try again; nothing was written.")
        ) from None
