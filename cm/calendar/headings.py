"""What the columns of a file are called: our keys, and the French and English words that stand for them. Pure."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from cm.calendar.badfile import BadFile
from cm.i18n import _

WORDS: Mapping[str, tuple[str, ...]] = {
    "ref": ("référence", "réf", "id", "identifiant", "n°"),
    "story": ("histoire", "récit"),
    "channel": ("canal", "réseau", "réseau social", "plateforme", "platform", "compte"),
    "date": ("jour", "day", "date de publication", "publication date"),
    "time": ("heure", "hour", "horaire", "heure de publication"),
    "kind": ("genre", "type", "type de contenu", "type de post", "content type"),
    "fields": ("champs",),
    "theme": ("thème", "thématique", "rubrique", "topic"),
    "campaign": ("campagne",),
    "audiences": ("audience", "public", "publics", "cible", "cibles", "target audience"),
    "language": ("langue",),
    "text": ("texte", "message", "contenu", "content", "légende", "caption", "post"),
    "link": ("lien", "url"),
    "media": ("média", "médias", "visuel", "visuels", "image", "images", "photo", "photos"),
    "alt": ("texte alternatif", "textes alternatifs", "alt text", "alternative text"),
    "first_comment": ("premier commentaire", "1er commentaire"),
    "objective": ("objectif", "goal"),
    "rev": ("révision", "revision"),
}
"""Our columns, in no order, with what else they may be called; accents, capitals, `_` and `-` do not matter."""

_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]| [-–] .*|\*")
_BLANKS = re.compile(r"[\s_\-/.:]+")


def plain(heading: str) -> str:
    """A heading without accents, capitals, signs and what is said aside: `Lien(s) – un seul` → `lien`."""
    bare = _ASIDE.sub("", heading)
    letters = unicodedata.normalize("NFKD", bare.casefold())
    return _BLANKS.sub(" ", "".join(sign for sign in letters if not unicodedata.combining(sign))).strip()


def by_plain(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What each plain heading means."""
    return {plain(said): meant for meant, heard in words.items() for said in (meant, *heard)}


_OURS = by_plain(WORDS)


def columns_of(
    header: Sequence[str],
    ignored: Collection[str],
    known: Mapping[str, str] | None = None,
    *,
    several: Collection[str] = (),
) -> tuple[str, ...]:
    """The columns that a header names, "" for those that are left out: headings that are blank or `ignored`.

    `known`: plain heading → column, ours if None; `several`: columns that may come more than once.
    Raises BadFile: unknown headings, two that mean the same.
    """
    known = _OURS if known is None else known
    left_out = {plain(heading) for heading in ignored}
    plains = [plain(heading) for heading in header]
    _require_known(header, plains, known, left_out)
    columns = tuple("" if heading in left_out else known.get(heading, "") for heading in plains)
    for index, column in enumerate(columns):
        first = columns.index(column)
        if column and first < index and column not in several:
            said = _("The columns {one!r} and {other!r} both mean {column!r}: leave one out with --ignore {one!r}.")
            raise BadFile(1, column, said.format(one=header[first], other=header[index], column=column))
    return columns


def _require_known(
    header: Sequence[str], plains: Sequence[str], known: Mapping[str, str], left_out: Collection[str]
) -> None:
    both = zip(header, plains, strict=True)
    unknown = [heading.strip() for heading, bare in both if bare and bare not in known and bare not in left_out]
    if unknown:
        said = _("There is no column {names}; the columns are {known}. Leave others out with {option}.")
        names, option = ", ".join(map(repr, unknown)), " ".join(f"--ignore {name!r}" for name in unknown)
        ours = ", ".join(dict.fromkeys(known.values()))
        raise BadFile(1, unknown[0], said.format(names=names, known=ours, option=option))
