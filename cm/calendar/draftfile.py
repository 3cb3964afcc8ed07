r"""The file in which a post is written: a header, and one section for each channel. Pure.

    time: tomorrow 9h
    kind: event
    field place: Hall
    link:

    === facebook
    The text, as many lines as it takes: #hashtags, --- and # headings are text like any other.

    === twitter @ tomorrow 18h
    The text for that channel, which has a time of its own.

A line that begins with `%%` is a note and not kept; the program's own remarks begin with `%%!` and are
taken out before new ones are put in. Header lines bear the names of our CSV's columns; a value goes on
in lines that are indented. A line of a text that looks like a note or a section, and a blank line at
the beginning or the end of a text, has a backslash before it. `parse(render(x))` is `x`.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from cm.calendar.headings import WORDS, by_plain, plain
from cm.i18n import _

NOTE = "%%"
REMARK = "%%!"
HEAD = "=== "
FIELD = "field"
WIDTH = 96

HEADER = (
    "time",
    "kind",
    "link",
    "first_comment",
    "theme",
    "campaign",
    "objective",
    "story",
    "audiences",
    "language",
    "ref",
    "over",
    "draft",
)
"""Lines of the header that may stand once, in their order; `media`, `alt` and `field NAME` are apart."""
RARE = frozenset({"ref", "over", "draft"})
"""Header lines that are written only where they say something."""

_OWN: Mapping[str, tuple[str, ...]] = {"time": ("when", "quand"), "over": ("dépassement",), "draft": ("brouillon",)}
_MEANT = by_plain({name: (*WORDS.get(name, ()), *_OWN.get(name, ())) for name in (*HEADER, "media", "alt")})
"""What header lines may be called: our columns in French and English, and what the bulk files lack."""


@dataclass(frozen=True)
class Section:
    """The text for one channel. `time`: its own time, as written; empty means the header's."""

    channel: str
    text: str = ""
    time: str = ""


@dataclass(frozen=True)
class Document:
    """All that the file says, as written. `values`: what is filled in of `HEADER`; `media`: path and alternative."""

    values: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    media: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def blank(self) -> bool:
        """True if nothing at all is filled in."""
        texts = (section.text.strip() for section in self.sections)
        return not (self.media or any(self.values.values()) or any(self.fields.values()) or any(texts))


@dataclass(frozen=True)
class Remark:
    """What is to be said of a place: a header line's name, a section's heading, or "" for the file.

    `blocks`: the post cannot be kept like this. `offer`: a line that is missing, put in for the person to fill.
    """

    place: str
    message: str
    blocks: bool = True
    offer: str = ""


@dataclass(frozen=True)
class Parsed:
    """A file that was read: what it says, the line at which each place stands (0 first), what could not be read."""

    document: Document
    places: Mapping[str, int]
    remarks: tuple[Remark, ...] = ()


def heading(channel: str) -> str:
    """How the section of a channel is named as a place."""
    return HEAD + channel


# --- writing ----------------------------------------------------------------------------------------------------------


def render(document: Document, notes: Mapping[str, Sequence[str]] | None = None) -> str:
    """The file. `notes`: sentences to stand below a place, or for "" at the top."""
    said = notes or {}
    lines = list(_notes(said.get("", ())))
    for name in HEADER:
        value = document.values.get(name, "")
        if value or name not in RARE:
            lines += [*_valued(name, value), *_notes(said.get(name, ()))]
        if name == "kind":
            for key, value in document.fields.items():
                lines += [*_valued(f"{FIELD} {key}", value), *_notes(said.get(f"{FIELD} {key}", ()))]
        if name == "link":
            lines += _media(document.media, said)
    for section in document.sections:
        at = f" @ {section.time}" if section.time else ""
        lines += ["", heading(section.channel) + at, *_notes(said.get(heading(section.channel), ()))]
        lines += _guarded(section.text)
    return "\n".join(lines) + "\n"


def _media(media: Sequence[tuple[str, str]], said: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for path, alt in media or [("", "")]:
        yield from _valued("media", path)
        yield from _valued("alt", alt)
    yield from _notes(said.get("media", ()))


def _notes(sentences: Iterable[str], mark: str = NOTE) -> Iterator[str]:
    for sentence in sentences:
        for line in sentence.splitlines():
            yield from (f"{mark} {part}" for part in textwrap.wrap(line, WIDTH, break_on_hyphens=False))


def _valued(name: str, value: str) -> list[str]:
    """A header line; further lines of the value are indented."""
    if not value:
        return [f"{name}:"]
    first, *more = (f"\\{part}" if part[:1] == "\\" or part[:1].strip() == "" else part for part in value.split("\n"))
    return [f"{name}: {first}", *(f"    {part}" for part in more)]


def _guarded(text: str) -> list[str]:
    """The lines of a text, each such that it is read as text."""
    if not text:
        return [""]
    lines = text.split("\n")
    blanks = len(list(takewhile(_is_blank, lines)))
    tail = len(lines) - len(list(takewhile(_is_blank, reversed(lines))))
    return [
        f"\\{line}" if _special(line) or (_is_blank(line) and not blanks <= at < tail) else line
        for at, line in enumerate(lines)
    ]


def _is_blank(line: str) -> bool:
    return not line.strip()


def _special(line: str) -> bool:
    """True for a line that would be taken for a note or a section, or begins with the backslash that prevents it."""
    bare = line.lstrip("\\")
    return bare.startswith((NOTE, HEAD)) or (bare != line and _is_blank(bare))


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(text: str) -> Parsed:
    """What the file says. What cannot be read is remarked upon, never passed over."""
    reader = _Reader()
    for number, line in enumerate(unified(text).split("\n")):
        reader.take(number, line)
    return reader.parsed()


def unified(text: str) -> str:
    """The text with the line ends of Unix, whatever the editor wrote."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Reader:
    """Takes the file line by line."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._media: list[tuple[str, str]] = []
        self._sections: list[tuple[str, str, list[str]]] = []
        self._places: dict[str, int] = {}
        self._remarks: list[Remark] = []
        self._last: str | None = None
        self._alt_given = True

    def take(self, number: int, line: str) -> None:
        if line.startswith(NOTE):
            return
        if line.startswith(HEAD):
            self._begin(number, line)
        elif self._sections:
            self._sections[-1][2].append(line)
        elif line.strip():
            self._take_header(number, line)

    def _begin(self, number: int, line: str) -> None:
        name, _at, time = (part.strip() for part in line.removeprefix(HEAD).partition("@"))
        place = heading(name)
        if place in self._places:
            self._remark(number, _("{channel} has a section already; there can be one only.").format(channel=name))
        self._places.setdefault(place, number)
        self._sections.append((name, time, []))

    def _take_header(self, number: int, line: str) -> None:
        if line[0] in " \t":
            self._go_on(number, line)
            return
        name, colon, rest = line.partition(":")
        key, self._last = _key_of(name), None
        if not colon or key is None:
            self._remark(number, _not_a_header_line(line, name))
            return
        self._places.setdefault(key, number)
        self._last = key
        self._set(number, key, _plain(rest))

    def _set(self, number: int, key: str, value: str) -> None:
        if key == "media":
            self._media.append((value, ""))
            self._alt_given = False
        elif key == "alt":
            if self._alt_given:
                self._media.append(("", ""))
            self._media[-1] = (self._media[-1][0], value)
            self._alt_given = True
        elif self._values.get(key):
            self._remark(number, _("The line {name} stands twice.").format(name=key))
        else:
            self._values[key] = value

    def _go_on(self, number: int, line: str) -> None:
        more = "\n" + _plain(line)
        if self._last == "media":
            self._media[-1] = (self._media[-1][0] + more, "")
        elif self._last == "alt":
            self._media[-1] = (self._media[-1][0], self._media[-1][1] + more)
        elif self._last:
            self._values[self._last] = self._values.get(self._last, "") + more
        else:
            self._remark(number, _("An indented line goes on with the line before it; there is none."))

    def _remark(self, number: int, message: str) -> None:
        place = f"line {number}"
        self._places[place] = number
        self._remarks.append(Remark(place, message))

    def parsed(self) -> Parsed:
        fields = {key.partition(" ")[2]: text for key, text in self._values.items() if key.startswith(f"{FIELD} ")}
        values = {key: text for key, text in self._values.items() if text and key in HEADER}
        if any(alt and not path for path, alt in self._media):
            self._remarks.append(Remark("media", _("There is a text alternative, but no file is named.")))
        media = tuple((path, alt) for path, alt in self._media if path)
        sections = tuple(Section(name, _text_of(lines), time) for name, time, lines in self._sections)
        return Parsed(Document(values, fields, media, sections), self._places, tuple(self._remarks))


def _key_of(name: str) -> str | None:
    """The header line that is meant by `name`; None for none."""
    words = name.strip().casefold().split()
    if len(words) == 2 and words[0] in (FIELD, "champ"):
        return f"{FIELD} {words[1]}"
    return _MEANT.get(plain(name))


def _not_a_header_line(line: str, name: str) -> str:
    if ":" not in line:
        return _("This line is neither `name: value` nor below a line `=== channel`.")
    said = _("There is no line {name!r}; a field of the kind is written `field {field}: …`.")
    return said.format(name=name.strip(), field=name.strip() or "place")


def _plain(part: str) -> str:
    """The part of a value that stands on a line, without its indent and its backslash."""
    part = part.lstrip(" \t")
    return part.removeprefix("\\")


def _text_of(lines: list[str]) -> str:
    """The text of a section: without the blank lines around it and the backslashes that guarded its lines."""
    blanks = len(list(takewhile(_is_blank, lines)))
    tail = len(lines) - len(list(takewhile(_is_blank, reversed(lines))))
    return "\n".join(line[1:] if line[:1] == "\\" and _special(line) else line for line in lines[blanks:tail])


# --- remarks ----------------------------------------------------------------------------------------------------------


def without_remarks(text: str) -> str:
    """The file without the program's remarks, as it was before `annotated`."""
    return "\n".join(line for line in unified(text).split("\n") if not line.startswith(REMARK))


def annotated(text: str, parsed: Parsed, remarks: Iterable[Remark]) -> str:
    """The file as the person wrote it, each remark below its place; the words themselves are not touched.

    `text` is without remarks, and `parsed` is what `parse` made of it.
    """
    below: dict[int, list[str]] = {}
    for remark in remarks:
        place = parsed.places.get(remark.place, -1)
        lost = place == -1 and remark.place
        said = list(_notes([f"{remark.place}: {remark.message}" if lost else remark.message], REMARK))
        below.setdefault(place, []).extend([*said, remark.offer] if remark.offer else said)
    lines = below.get(-1, [])
    for number, line in enumerate(text.split("\n")):
        lines += [line, *below.get(number, ())]
    return "\n".join(lines)
