"""Bringing a database to this cm's schema, so that a failure leaves it exactly as it was.

Under an exclusive file lock: a backup by VACUUM INTO (three are kept), foreign keys off before BEGIN,
all revisions in one immediate transaction, then `foreign_key_check` and the row counts compared before
commit. Revisions are numbered 0001, 0002…; the number of the newest one is the schema version.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from filelock import FileLock, Timeout

from cm.errors import WorkspaceError
from cm.i18n import _
from cm.store.engine import make_engine, schema_version
from cm.store.tick import DATABASE, SCHEMA_VERSION

BACKUPS_KEPT = 3
LOCK_SECONDS = 60


def create(root: Path) -> None:
    """Make a new database at `<root>/cm.db`. Raises WorkspaceError if something stands there."""
    database = root / DATABASE
    if database.exists():
        raise WorkspaceError(_("There is a database at {path}.").format(path=database), hint=_("Nothing was changed."))
    with _alone(root):
        database.touch(mode=0o600)
        with as_file(files("cm.store") / "migrations") as packaged:
            _run(database, packaged, SCHEMA_VERSION)


def upgrade(root: Path, *, scripts: Path | None = None, version: int = SCHEMA_VERSION) -> int:
    """Bring `<root>/cm.db` to the newest schema; gives the version it had before.

    `scripts` and `version` are the package's own revisions and their number unless a test brings others.
    Raises WorkspaceError: there is no database or an empty file, it is newer than this cm, is being upgraded by
    somebody else, or a check failed; the file is then unchanged.
    """
    database = root / DATABASE
    with _alone(root):
        before = schema_version(database)
        _require_known(database, before, version)
        if before == version:
            return before
        backup(database, root / ".cm" / "backups", f"schema-{before}")
        with as_file(files("cm.store") / "migrations") as packaged:
            _run(database, scripts or packaged, version)
        return before


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    folder = root / ".cm"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(folder / "migrate.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceError(
            _("Another cm has been upgrading this database for {n} seconds.").format(n=LOCK_SECONDS),
            hint=_("Wait for it to end, then try again."),
        ) from None
    try:
        yield
    finally:
        lock.release()


def _require_known(database: Path, before: int, version: int) -> None:
    if before == 0:
        raise WorkspaceError(
            _("{path} holds nothing of cm's.").format(path=database),
            hint=_("Put back a backup; or take the file away and run `cm init` for a new one."),
        )
    if before > version:
        raise WorkspaceError(
            _("The database has schema {theirs}; this cm knows {ours}.").format(theirs=before, ours=version),
            hint=_("Install the cm that wrote it, or a newer one."),
        )


def _run(database: Path, scripts: Path, version: int) -> None:
    engine = make_engine(database, "BEGIN IMMEDIATE")
    try:
        with engine.connect() as connection:
            # outside the transaction: SQLite ignores this pragma inside one
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                counts = row_counts(connection)
                _apply(connection, scripts)
                _verify(connection, counts)
                connection.exec_driver_sql(f"PRAGMA user_version = {version:d}")
    finally:
        engine.dispose()


def _apply(connection: sa.Connection, scripts: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """Rows of every table but alembic's own."""
    names = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in names
    }


def _verify(connection: sa.Connection, before: dict[str, int]) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    after = row_counts(connection)
    changed = [name for name, count in before.items() if after.get(name) != count]
    if broken or changed:
        raise WorkspaceError(
            _(
                "The upgrade would damage the database (broken links: {broken}; rows lost or gained in: {tables})."
            ).format(broken=len(broken), tables=", ".join(changed) or "–"),
            hint=_("Nothing was changed. Report this with the output of `cm --version`."),
        )


def backup(database: Path, folder: Path, label: str) -> Path:
    """A consistent copy `cm-<label>-<n>.db` in `folder`, 0600; older ones beyond three are removed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    numbers = [int(path.stem.rsplit("-", 1)[-1]) for path in folder.glob("cm-*.db")]
    target = folder / f"cm-{label}-{max(numbers, default=0) + 1}.db"
    target.touch(mode=0o600)  # VACUUM INTO takes an empty file and keeps its mode
    engine = make_engine(database, "BEGIN")
    try:
        driver = engine.raw_connection()
        try:
            driver.driver_connection.execute("VACUUM INTO ?", (str(target),))  # type: ignore[union-attr]
        finally:
            driver.close()
    finally:
        engine.dispose()
    kept = sorted(folder.glob("cm-*.db"), key=lambda path: int(path.stem.rsplit("-", 1)[-1]))
    for old in kept[:-BACKUPS_KEPT]:
        old.unlink()
    return target
