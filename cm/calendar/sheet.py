"""A post as a row of our CSV: what is exported, and what an import compares. Pure."""

from datetime import datetime

from cm.calendar.cells import ISO, join_fields, join_list, write_wall
from cm.calendar.csvfile import COLUMNS
from cm.calendar.drafting import Spec


def cells_of(
    name: str, spec: Spec, wall: datetime | None, *, rev: int | None = None, dates: str = ISO
) -> dict[str, str]:
    """The cells of a post, by column, not yet guarded.

    `name`: ref or id; `wall`: local time, None leaves it blank; `dates`: a form of `cm.calendar.cells`.
    """
    day, time = write_wall(wall, dates)
    alts = [medium.alt for medium in spec.media]
    return {
        "ref": name,
        "story": spec.story or "",
        "channel": spec.channel,
        "date": day,
        "time": time,
        "kind": spec.kind,
        "fields": join_fields(spec.fields),
        "theme": spec.theme or "",
        "campaign": spec.campaign or "",
        "audiences": join_list(spec.audiences),
        "language": spec.language,
        "text": spec.text,
        "link": spec.link or "",
        "media": join_list(medium.path for medium in spec.media),
        "alt": join_list(alts) if any(alts) else "",
        "first_comment": spec.first_comment or "",
        "objective": spec.objective or "",
        "rev": "" if rev is None else str(rev),
    }


def differences(
    before: Spec, before_wall: datetime | None, after: Spec, after_wall: datetime | None
) -> list[tuple[str, str, str]]:
    """Column, cell before and cell after of everything that differs, in the order of the columns."""
    old, new = cells_of("", before, before_wall), cells_of("", after, after_wall)
    found = [(column, old[column], new[column]) for column in COLUMNS if old[column] != new[column]]
    if not any(column == "media" for column, _old, _new in found):
        changed = [
            medium.path
            for medium, other in zip(after.media, before.media, strict=False)
            if medium.sha256 != other.sha256
        ]
        found += [("media", path, path) for path in changed]
    return found
