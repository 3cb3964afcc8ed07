"""Exporting: no formula, nothing lost, nothing changed by coming back."""

import csv
import hashlib
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support_calendar import add, make_env, set_state, table
from support_pictures import tiny

from cm.calendar import posts
from cm.calendar.csvfile import COLUMNS
from cm.calendar.exporting import export_posts
from cm.calendar.importing import import_posts
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST
from cm.checks.pasted import cleaned
from cm.env import Env
from cm.errors import NotFound
from cm.model.states import PostState


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def exported(env: Env, **options: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export_posts(env, **options).decode(), newline="")))


def test_rows_are_ordered_by_time_and_called_by_ref_or_id(env: Env) -> None:
    add(env, "tard", wall="2026-12-04T09:00")
    add(env, "brouillon", draft=True, wall="2026-12-01T09:00")
    add(
        env,
        "tôt",
        ref="first",
        wall="2026-12-03T09:00",
        kind="event",
        fields={"place": "A|B", "event_date": "2026-12-05"},
    )
    rows = exported(env)
    assert [(row["ref"], row["date"], row["time"], row["text"]) for row in rows] == [
        ("p2", "", "", "brouillon"),
        ("first", "2026-12-03", "09:00", "tôt"),
        ("p1", "2026-12-04", "09:00", "tard"),
    ]
    assert rows[1]["fields"] == r"place=A\|B|event_date=2026-12-05"
    assert list(rows[0]) == list(COLUMNS)


def test_cancelled_posts_are_exported_only_if_asked_for(env: Env) -> None:
    view = add(env, "annulé")
    posts.cancel(env, view.id)
    assert exported(env) == []
    assert [row["text"] for row in exported(env, state="cancelled")] == ["annulé"]
    assert [row["text"] for row in exported(env, tokens=["state:cancelled"])] == ["annulé"]
    assert [row["text"] for row in exported(env, tokens=[view.id])] == ["annulé"]


def test_filters_are_those_of_the_list(env: Env) -> None:
    add(env, "un")
    add(env, "deux", channel="twitter")
    assert [row["text"] for row in exported(env, channel="twitter")] == ["deux"]
    assert [row["text"] for row in exported(env, tokens=["channel:facebook", "text:un"])] == ["un"]
    with pytest.raises(NotFound):
        export_posts(env, channel="myspace")


def test_for_excel_there_are_a_mark_and_semicolons(env: Env) -> None:
    add(env, "é;a")
    data = export_posts(env, shape="excel")
    assert data.startswith(b"\xef\xbb\xbfref;story;")
    assert '"é;a"' in data.decode("utf-8-sig")


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@me", "\tx", "'=x", "''=x"])
def test_no_cell_is_a_formula(env: Env, text: str) -> None:
    add(env, text, theme="=1+1", fields={"place": "=x"})
    (row,) = exported(env)
    assert row["text"] == f"'{text}"
    assert row["theme"] == "'=1+1"


def test_published_posts_whose_pictures_are_gone_come_back_unchanged(env: Env) -> None:
    (env.root / "media").mkdir()
    (env.root / "media" / "a.jpg").write_bytes(tiny())
    view = add(env, media=("a.jpg",), alt=("Un chat",))
    set_state(env, view, PostState.PUBLISHED)
    (env.root / "media" / "a.jpg").unlink()
    result = import_posts(env, export_posts(env), filename="x")
    assert (result.errors, result.unchanged) == ((), 1)


def test_a_picture_that_was_replaced_is_a_change(env: Env) -> None:
    (env.root / "media").mkdir()
    (env.root / "media" / "a.jpg").write_bytes(tiny())
    add(env, media=("a.jpg",), alt=("Un chat",))
    (env.root / "media" / "a.jpg").write_bytes(tiny(1))
    result = import_posts(env, export_posts(env), filename="x")
    assert [change["column"] for change in result.as_json()["changes"]] == ["media"]
    assert table(env, ATTACHMENT)[0]["sha256"] == hashlib.sha256(tiny(1)).hexdigest()


hostile = st.text(st.sampled_from(list("'=+-@\t\n|\\;,\"aé🌳\u202e\x1b ")), min_size=1, max_size=10)
anything = hostile | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
words = st.text(st.sampled_from(list("'=+-@|\\;,\"aé🌳")), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=anything.filter(lambda text: cleaned(text).text.strip()),
    comment=st.none() | anything,
    theme=st.none() | words,
    story=st.none() | words,
    link=st.none() | words,
    fields=st.dictionaries(st.sampled_from(["place", "answer", "source"]), anything, max_size=3),
    alts=st.lists(anything | st.just(""), max_size=2),
    # for staff alone a public channel is refused
    audiences=st.lists(st.sampled_from(["public", "families", "staff"]), unique=True).filter(lambda a: a != ["staff"]),
    draft=st.booleans(),
    excel=st.booleans(),
)
def test_whatever_is_kept_comes_back_unchanged(
    text: str,
    comment: str | None,
    theme: str | None,
    story: str | None,
    link: str | None,
    fields: dict[str, str],
    alts: list[str],
    audiences: list[str],
    draft: bool,
    excel: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = make_env(Path(folder))
        (env.root / "media").mkdir()
        for name in ("a|b.jpg", "c.png"):
            (env.root / "media" / name).write_bytes(tiny(len(name)))
        media = ("a|b.jpg", "c.png")[: len(alts)]
        values: dict[str, Any] = {
            "theme": theme,
            "story": story,
            "link": link,
            "fields": fields,
            "first_comment": comment,
        }
        add(env, text, draft=draft, media=media, alt=tuple(alts), audiences=tuple(audiences), **values)
        before = [table(env, which) for which in (POST, MESSAGE, ATTACHMENT)]
        result = import_posts(env, export_posts(env, shape="excel" if excel else "csv"), filename="x")
        assert (result.errors, result.created, result.updated, result.unchanged) == ((), 0, 0, 1)
        assert [table(env, which) for which in (POST, MESSAGE, ATTACHMENT)] == before
        env.store.close()
