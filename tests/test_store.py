"""The database: migrations with their safety, transactions, the state's one writer."""

import shutil
import sqlite3
import threading
import traceback
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from cm.errors import Busy, WorkspaceError
from cm.model import tables
from cm.model.states import TRANSITIONS, PostState
from cm.store import migrate, tick
from cm.store.engine import Store, make_engine
from cm.store.posts import transition

DATA = Path(__file__).with_name("data")


def is_search(name, *_others):
    """The tables behind `cm find` are SQLite's (FTS5), and no models."""
    return str(name).startswith("post_words")


def checks_of(path):
    """CHECK constraints, which alembic does not compare."""
    engine = make_engine(path, "BEGIN")
    try:
        inspector = sa.inspect(engine)
        return {
            name: sorted(str(check["sqltext"]) for check in inspector.get_check_constraints(name))
            for name in inspector.get_table_names()
            if name != "alembic_version" and not is_search(name)
        }
    finally:
        engine.dispose()


def test_a_migrated_schema_is_the_models_schema(tmp_path):
    migrate.create(tmp_path)
    engine = make_engine(tmp_path / "cm.db", "BEGIN")
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _parents: not is_search(name)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()
    fresh = make_engine(tmp_path / "fresh.db", "BEGIN")
    SQLModel.metadata.create_all(fresh)
    fresh.dispose()
    assert checks_of(tmp_path / "cm.db") == checks_of(tmp_path / "fresh.db")


def test_the_constant_of_the_fast_path_is_the_newest_revision():
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_heads() == [f"{tick.SCHEMA_VERSION:04d}"]


def test_upgrading_twice_changes_nothing(tmp_path):
    migrate.create(tmp_path)
    before = (tmp_path / "cm.db").read_bytes()
    assert migrate.upgrade(tmp_path) == tick.SCHEMA_VERSION
    assert (tmp_path / "cm.db").read_bytes() == before
    assert (tmp_path / "cm.db").stat().st_mode & 0o077 == 0


def test_a_newer_database_is_refused(tmp_path):
    migrate.create(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cm.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    for use in (migrate.upgrade, Store):
        with pytest.raises(WorkspaceError, match="99"):
            use(tmp_path)


def test_an_older_database_says_how_to_upgrade(tmp_path):
    migrate.create(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cm.db")) as connection:
        connection.execute("PRAGMA user_version = -1")
    with pytest.raises(WorkspaceError) as refused:
        Store(tmp_path)
    assert "cm db upgrade" in refused.value.hint


def test_nothing_and_an_empty_file_are_no_database_and_are_not_made_one(tmp_path):
    for use in (migrate.upgrade, Store):
        with pytest.raises(WorkspaceError, match="no database"):
            use(tmp_path)
    (tmp_path / "cm.db").touch()
    for use in (migrate.upgrade, Store):
        with pytest.raises(WorkspaceError, match="nothing of cm"):
            use(tmp_path)
    assert (tmp_path / "cm.db").stat().st_size == 0


def test_a_database_is_not_made_over_another(tmp_path):
    migrate.create(tmp_path)
    with pytest.raises(WorkspaceError, match="There is a database"):
        migrate.create(tmp_path)


def test_a_file_that_is_no_database_is_told_apart(tmp_path):
    (tmp_path / "cm.db").write_bytes(b"not a database at all, but long enough to be read as a header of one" * 20)
    with pytest.raises(WorkspaceError, match="not a database"):
        Store(tmp_path)


DAMAGE = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None
def upgrade():
    op.execute("CREATE TABLE half_done (id INTEGER)")
    op.execute("DELETE FROM meta")
"""


def test_a_migration_that_loses_rows_leaves_the_file_as_it_was(tmp_path):
    migrate.create(tmp_path)
    store = Store(tmp_path)
    with store.write() as session:
        session.add(tables.Meta(key="kept", value="1"))
    store.close()
    scripts = tmp_path / "scripts"
    shutil.copytree(Path(migrate.__file__).parent / "migrations", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "9999_damage.py").write_text(DAMAGE.replace("{head}", f"{tick.SCHEMA_VERSION:04d}"))
    with pytest.raises(WorkspaceError, match="meta"):
        migrate.upgrade(tmp_path, scripts=scripts, version=9999)
    assert contents(tmp_path / "cm.db") == ([("1",)], tick.SCHEMA_VERSION, [])
    backups = list((tmp_path / ".cm" / "backups").glob("*.db"))
    assert [contents(path) for path in backups] == [([("1",)], tick.SCHEMA_VERSION, [])]


def contents(path):
    with closing(sqlite3.connect(path)) as connection:
        return (
            connection.execute("SELECT value FROM meta").fetchall(),
            connection.execute("PRAGMA user_version").fetchone()[0],
            connection.execute("SELECT name FROM sqlite_master WHERE name = 'half_done'").fetchall(),
        )


@pytest.mark.parametrize("released", range(1, tick.SCHEMA_VERSION))
def test_a_populated_database_of_every_released_schema_comes_along(tmp_path, released):
    """The dumps were written by the releases themselves: a workspace with posts published, planned and measured."""
    (tmp_path / "cm.db").touch(mode=0o600)
    with closing(sqlite3.connect(tmp_path / "cm.db")) as connection:
        connection.executescript((DATA / f"schema-{released}.sql").read_text(encoding="utf-8"))
        posts = connection.execute("SELECT id, text, state FROM post ORDER BY id").fetchall()
    assert migrate.upgrade(tmp_path) == released
    with closing(sqlite3.connect(tmp_path / "cm.db")) as connection:
        assert connection.execute("SELECT id, text, state FROM post ORDER BY id").fetchall() == posts != []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    migrate.create(fresh)
    assert schema_of(tmp_path / "cm.db") == schema_of(fresh / "cm.db")
    assert checks_of(tmp_path / "cm.db") == checks_of(fresh / "cm.db")


def schema_of(path):
    """Tables and indexes as SQLite keeps them."""
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT type, name, sql FROM sqlite_master"))


def test_three_backups_are_kept(tmp_path):
    migrate.create(tmp_path)
    made = [migrate.backup(tmp_path / "cm.db", tmp_path / "backups", "schema-1") for _ in range(5)]
    assert sorted((tmp_path / "backups").iterdir()) == sorted(made[-3:])
    assert all(path.stat().st_mode & 0o077 == 0 for path in made[-3:])


def test_a_failing_block_writes_nothing(tmp_path):
    migrate.create(tmp_path)
    store = Store(tmp_path)

    def fail_half_way():
        with store.write() as session:
            session.add(tables.Meta(key="a", value="1"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with store.read() as session:
        assert session.get(tables.Meta, "a") is None


def test_writers_wait_for_each_other(tmp_path):
    migrate.create(tmp_path)
    store = Store(tmp_path)
    with store.write() as session:
        session.add(tables.Meta(key="n", value="0"))

    def add_one():
        for _ in range(25):
            with store.write() as session:
                row = session.get_one(tables.Meta, "n")
                row.value = str(int(row.value) + 1)

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        assert session.get_one(tables.Meta, "n").value == "100"


def test_what_can_wait_does_not_wait_long(tmp_path):
    migrate.create(tmp_path)
    store, other = Store(tmp_path), sqlite3.connect(tmp_path / "cm.db", isolation_level=None)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy), store.write_if_free():
            pass
        other.execute("ROLLBACK")
    with store.write(), pytest.raises(Busy), store.write_if_free():
        pass
    with store.write_if_free() as session:
        session.add(tables.Meta(key="a", value="1"))
    with store.read() as session:
        assert session.get_one(tables.Meta, "a").value == "1"


def test_the_disk_is_written_through(tmp_path):
    migrate.create(tmp_path)
    with Store(tmp_path).write() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_what_is_deleted_is_not_left_in_the_file(tmp_path):
    migrate.create(tmp_path)
    with Store(tmp_path).write() as session:
        session.add(tables.Meta(key="a", value="zwetschgenkuchen " * 400))
    with Store(tmp_path).write() as session:
        session.delete(session.get_one(tables.Meta, "a"))
    with closing(sqlite3.connect(tmp_path / "cm.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "cm.db").read_bytes().count(b"zwetschgenkuchen") == 0


def test_an_error_repeats_no_text_of_a_post(tmp_path):
    migrate.create(tmp_path)
    store, words = Store(tmp_path), " ".join(("Madame", "Durand"))
    rows = [{"key": words, "value": words}] * 2
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as session:
        session.execute(sa.insert(tables.Meta), rows)
    said = "".join(traceback.format_exception(caught.value))
    assert "UNIQUE" in said
    assert words not in said


@pytest.mark.parametrize("frm", PostState)
@pytest.mark.parametrize("to", PostState)
def test_only_the_table_of_transitions_is_writable(tmp_path, frm, to):
    if to in TRANSITIONS[frm]:
        return
    migrate.create(tmp_path)
    with Store(tmp_path).write() as session, pytest.raises(ValueError, match="transition"):
        transition(session, 1, to, among=[frm])
