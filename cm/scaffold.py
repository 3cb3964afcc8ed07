"""A new workspace: the example, dated from next Monday, or an empty one to fill in."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from cm import config as configuration
from cm.calendar.example import shift_offsets
from cm.calendar.importing import ImportResult, import_posts
from cm.clock import local_day, parse_instant
from cm.errors import Refused
from cm.i18n import N_, _
from cm.model.tables import Meta
from cm.store import migrate, tick
from cm.store.engine import Store
from cm.workspace import open_workspace

EXAMPLE = "schedules/example.csv"

GITIGNORE = """\
cm.db*
.cm/
media/
outbox/
secrets/
*.secret
.env
"""

EMPTY_CONFIG = N_(
    """\
# What each field means: cm config schema. Check with: cm config check
language: en
timezone: Europe/Paris
establishment:
  key: mine
  name: My institution
cadence: {min: 3, max: 5}
people: {}       # take the {} away when you fill this in
#  jo: {name: Jo Martin, roles: [community_manager], logins: [jo]}
channels: {}     # here too
#  facebook:
#    platform: facebook
#    adapter: outbox            # files for a person to paste; sandbox pretends
#    account: my.page
#    address: https://www.facebook.com/my.page
#    owner: jo
#    purpose: Speak with the public
#    opened_on: 2026-01-01
#    audiences: [public]
#
# Times at which a channel publishes stand in schedules/<channel>.yaml, for example schedules/facebook.yaml:
#   slots:
#     - {days: [mon, tue, wed, thu, fri], times: ["08:30", "12:30", "17:00"]}
"""
)


@dataclass(frozen=True)
class Created:
    """What `cm init` made. `monday` and `imported` are None for an empty workspace."""

    root: Path
    monday: date | None = None
    imported: ImportResult | None = None


def example_files() -> Traversable:
    """The example: in the package when installed, at the top of the source tree otherwise."""
    packaged = files("cm") / "example"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent


def create(root: Path, *, empty: bool = False, now: str | None = None) -> Created:
    """Make a workspace at `root` (made if absent); `now` is a local time to pretend, for the example's dates.

    Where only the database is missing, only that is made. Raises Refused if there is a workspace (nothing is
    overwritten), UsageError for a time that cannot be read.
    """
    root = root.expanduser().resolve()
    at = parse_instant(now, configuration.load(Path(str(example_files()))).zone) if now else None
    taken = [name for name in (tick.CONFIG, tick.DATABASE, "schedules") if (root / name).exists()]
    if tick.CONFIG in taken and tick.DATABASE not in taken:
        return _only_database(root)
    if taken:
        raise Refused(
            _("{root} already holds {names}.").format(root=root, names=", ".join(taken)),
            hint=_("Choose another folder: cm init DIR"),
        )
    root.mkdir(parents=True, exist_ok=True)
    for folder in ("schedules", "media", ".cm"):
        (root / folder).mkdir(mode=0o700 if folder == ".cm" else 0o755, exist_ok=True)
    if not (root / ".gitignore").exists():
        (root / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
    if empty:
        (root / tick.CONFIG).write_text(_(EMPTY_CONFIG), encoding="utf-8")
        _copy_folder(example_files() / "schedules" / "system", root / "schedules" / "system")
    else:
        _copy_example(root)
    _make_database(root)
    return Created(root) if empty else _import_example(root, at)


def _copy_example(root: Path) -> None:
    source = example_files()
    (root / tick.CONFIG).write_bytes((source / tick.CONFIG).read_bytes())
    for entry in (source / "schedules").iterdir():
        if entry.is_file():
            (root / "schedules" / entry.name).write_bytes(entry.read_bytes())
        else:
            _copy_folder(entry, root / "schedules" / entry.name)


def _copy_folder(source: Traversable, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_file():
            (target / entry.name).write_bytes(entry.read_bytes())


def _only_database(root: Path) -> Created:
    """The configuration is there and the database is not (a fresh clone, a lost file): make an empty one."""
    configuration.load(root)
    _make_database(root)
    return Created(root)


def _make_database(root: Path) -> None:
    migrate.create(root)
    store = Store(root)
    with store.write() as session:
        session.add(Meta(key="workspace", value=uuid.uuid4().hex))
    store.close()


def _import_example(root: Path, now: datetime | None) -> Created:
    """The example's posts, from the Monday after today on."""
    workspace = open_workspace(root, now=now)
    try:
        today = local_day(workspace.env.now, workspace.config.zone)
        monday = today + timedelta(days=7 - today.weekday())
        data = shift_offsets((root / EXAMPLE).read_bytes(), monday)
        (root / EXAMPLE).write_bytes(data)
        imported = import_posts(workspace.env, data, filename=EXAMPLE, example=True)
    finally:
        workspace.close()
    return Created(root, monday, imported)
