"""`cm` alone: at most a terminal's lines, worst first, each with the command that mends it."""

import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support_calendar import SETTINGS
from support_calendar import at as local
from support_cli import change_config, fresh, loaded, sql, use_outbox

from cm.calendar.channels import ChannelView
from cm.calendar.draftbox import Purpose, create
from cm.calendar.draftfile import Document, Section, render
from cm.clock import parse_instant
from cm.config import Config
from cm.model.facts import DayCount
from cm.model.states import PostState
from cm.publishing.standing import Few, Glimpse, Standing, Stop, standing
from cm.publishing.today import LINES, today
from cm.store import tick
from cm.workspace import open_workspace

RunJson = Callable[..., Any]

PARIS = ZoneInfo("Europe/Paris")
AT = "2026-11-23T09:00"
NOW = ("--now", AT)


@pytest.fixture(autouse=True)
def _an_editor_that_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def put(root: Path, state: str, *numbers: int, reason: str | None = None) -> None:
    """Set posts to a state that only the engine reaches."""
    for number in numbers:
        sql(root, "UPDATE post SET state = ?, reason = ?, wake_at = NULL WHERE id = ?", state, reason, number)


def calm(root: Path) -> None:
    """Nothing is late: what is due before nine is out, on both channels."""
    sql(root, "UPDATE post SET state = 'published', wake_at = NULL, published_at = scheduled_at"
              " WHERE scheduled_at <= '2026-11-23 08:00:00.000000'")  # fmt: skip


@pytest.fixture
def troubled(example: Path, run: Run) -> Path:
    """Everything that may go wrong, at once."""
    calm(example)
    for name in ("facebook", "twitter"):
        assert run("channel", "check", name, cwd=example).code == 0
    sql(example, "UPDATE account SET paused_at = '2026-11-23 07:00:00.000000', pause_reason = 'another account'"
                 " WHERE id = 1")  # fmt: skip
    put(example, "failed", 2, reason="the platform wants a shorter text")
    put(example, "missed", 3, 4, 5, 10, 11)
    put(example, "unconfirmed", 7)
    put(example, "handed", 8)
    put(example, "draft", 12)
    sql(example, "UPDATE post SET scheduled_at = '2026-11-23 07:00:00.000000' WHERE id = 9")
    sql(example, "UPDATE post SET kind = 'event', fields = '{}' WHERE id = 13")
    values = {"kind": "thanks", "time": "2026-12-10T09:00"}
    draft = render(Document(values=values, sections=(Section("facebook", "Merci à toutes et à tous"),)))
    create(example, Purpose(("facebook",)), draft, local("2026-11-22T11:30"))
    return example


def answered(line: str, number: int) -> list[str]:
    """The command's words; a person puts an address where one is asked for, and says yes to many posts."""
    args = shlex.split(line.replace("URL", f"https://x.example/status/{number + 1}"))
    assert args[0] == "cm"
    return [*args[1:], "--yes"] if "cm move state:" in line else args[1:]


def commands(out: str) -> list[str]:
    """Every command that is printed, in order."""
    return [line.split("→ ", 1)[1] for line in out.splitlines() if "→ " in line]


# --- what is said -----------------------------------------------------------------------------------------------------


def test_it_is_calm_where_nothing_waits(example: Path, run: Run) -> None:
    calm(example)
    done = run(*NOW, cwd=example)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("Monday 23 November 2026 09:00 · Hôpital d'enfants des Tilleuls")
    assert lines[1].startswith("✓ Nothing needs you. Next: Mon 23/11 09:30 twitter p7")
    assert "○ 10:30 facebook p2 Six heures du matin" in done.out
    assert "● 08:30 facebook p1" in done.out
    assert "Today: facebook 5 of 3–5, 0 left · twitter 4 of 3–5, 1 left" in done.out


def test_an_empty_workspace_is_calm(tmp_path: Path, run: Run) -> None:
    assert run("init", "--empty", str(tmp_path / "w")).code == 0
    done = run(cwd=tmp_path / "w")
    assert (done.code, done.err) == (0, "")
    assert "There is no channel yet: fill in config.yaml." in done.out


def test_the_worst_comes_first_and_every_sort_is_there(troubled: Path, run_json: RunJson) -> None:
    found = run_json(*NOW, cwd=troubled)
    kinds = [line["kind"] for line in found["lines"] if line["part"] == "act"]
    order = list(dict.fromkeys(kinds))
    assert order == ["stopped", "failed", "unconfirmed", "missed", "overdue", "broken", "handed", "text", "draft"]
    assert all(line["command"] for line in found["lines"] if line["part"] == "act")
    assert found["counts"] == {
        "broken": 1, "draft": 1, "failed": 1, "handed": 1, "missed": 5, "overdue": 1, "unconfirmed": 1,
    }  # fmt: skip
    assert found["stopped"][0]["channel"] == "facebook"
    assert [post["id"] for post in found["today"]][:3] == ["p6", "p9", "p1"]


def test_it_says_why_and_for_whom(troubled: Path, run: Run) -> None:
    out = run(*NOW, cwd=troubled).out
    assert "facebook is stopped: another account" in out
    assert "p2 facebook failed Mon 23/11 10:30: the platform wants" in out
    assert "p8 twitter to paste (Camille Roux)" in out
    assert "p13 facebook cannot go out Tue 24/11 19:00: A post of kind" in out
    assert "1 unfinished text (facebook)" in out


def test_it_fits_a_terminal(troubled: Path, run: Run) -> None:
    lines = run(*NOW, cwd=troubled).out.splitlines()
    assert len(lines) <= 22
    assert max(map(cell_len, lines)) <= 80
    assert sum("missed" in line for line in lines) < 5
    assert any(re.search(r"… and \d+ more missed → cm move state:missed --next$", line) for line in lines)


def test_every_printed_command_is_accepted(troubled: Path, run: Run, tmp_path: Path) -> None:
    """Each on a copy of its own, as printed; where a person would put an address one is put in."""
    printed = commands(run(*NOW, cwd=troubled).out)
    assert len(printed) >= 9
    for number, line in enumerate(printed):
        copy = Path(shutil.copytree(troubled, tmp_path / f"copy{number}"))
        done = run(*NOW, *answered(line, number), cwd=copy)
        assert done.code in ((0, 7) if line == "cm publish" else (0,)), (line, done.err)


def test_a_mended_matter_is_gone(troubled: Path, run: Run) -> None:
    """Confirm, move, cancel, edit: the line has left when the command has run."""
    mends = ("cm post confirm", "cm move", "cm channel")
    printed = [command for command in commands(run(*NOW, cwd=troubled).out) if command.startswith(mends)]
    for number, line in enumerate(dict.fromkeys(printed)):
        assert run(*NOW, *answered(line, number), cwd=troubled).code == 0
    kinds = {line["kind"] for line in run(*NOW, "--json", cwd=troubled).json["lines"] if line["part"] == "act"}
    assert not kinds & {"stopped", "failed", "unconfirmed", "missed", "handed"}


def test_the_missed_are_moved_though_one_stands_on_a_channel_that_is_gone(troubled: Path, run: Run) -> None:
    sql(troubled, "INSERT INTO channel (name, platform, adapter, simulated, state)"
                  " VALUES ('myspace', 'x', 'sandbox', 1, 'active')")  # fmt: skip
    sql(troubled, "UPDATE post SET channel = 'myspace' WHERE id = 3")
    (line,) = (line for line in commands(run(*NOW, cwd=troubled).out) if line == "cm move state:missed --next")
    done = run(*NOW, *answered(line, 0), cwd=troubled)
    assert (done.code, "p3 is left as it is: " in done.err) == (4, True)
    left = run(*NOW, "post", "list", "state:missed", "--json", cwd=troubled).json["posts"]
    assert [post["id"] for post in left] == ["p3"]
    for number, command in enumerate(commands(run(*NOW, cwd=troubled).out)):
        if "p3" in command:
            assert run(*NOW, *answered(command, number), cwd=troubled).code == 0
    assert run(*NOW, "post", "list", "state:missed", "--json", cwd=troubled).json["posts"] == []


def test_a_channel_without_slots_gets_a_time_and_a_closed_one_is_cancelled(example: Path, run: Run) -> None:
    calm(example)
    put(example, "missed", 2)
    (example / "schedules" / "facebook.yaml").write_text("slots: []\n", encoding="utf-8")
    assert commands(run(*NOW, cwd=example).out)[0] == "cm move p2 --at 2026-11-24T10:30"
    change_config(example, lambda data: data["channels"]["facebook"].update(state="closed"))
    assert commands(run(*NOW, cwd=example).out)[0] == "cm post cancel p2"


def test_what_has_just_come_due_is_nobodys_trouble(example: Path, run_json: RunJson) -> None:
    calm(example)
    for at, said in (("2026-11-23T09:31", False), ("2026-11-23T09:33", True)):
        kinds = {line["kind"] for line in run_json("--now", at, cwd=example)["lines"]}
        assert ("overdue" in kinds) is said


def test_text_of_people_is_harmless(example: Path, run: Run) -> None:
    sql(example, "UPDATE post SET text = ? WHERE id = 2", "[red]\x1b[31m\u202eevil\nline")
    put(example, "failed", 2, reason="\x1b]0;x\x07no")
    out = run(*NOW, cwd=example).out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_silent_cron_is_told_once_and_only_where_something_real_waits(example: Path, run: Run) -> None:
    use_outbox(example)
    sql(example, "UPDATE post SET scheduled_at = '2999-01-01 00:00:00.000000', example = 0")
    done = run(cwd=example)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("cron has not run here yet") == 1
    assert commands(done.out)[0] == "cm publish"
    tick.beat(str(example))
    assert "cron has not run" not in run(cwd=example).out
    os.utime(example / tick.HEARTBEAT, (1, 1))
    assert "cron has not run since Thu 01/01 01:00" in run(cwd=example).out


def test_a_dormant_channel_needs_somebody(example: Path, run: Run) -> None:
    calm(example)
    out = run("--now", "2026-12-08T09:00", cwd=example).out
    assert "facebook is dormant: last post Mon 23/11 2026" in out
    assert "→ cm add -c facebook" in out


@pytest.mark.row("S9")
def test_the_first_short_day_is_named(example: Path, run: Run) -> None:
    calm(example)
    assert "First short day: Mon 07/12 (facebook, twitter) → cm calendar gaps --next" in run(*NOW, cwd=example).out


def test_what_was_taken_down_bears_a_mark(example: Path, run: Run, run_json: RunJson) -> None:
    calm(example)
    sql(example, "UPDATE post SET withdrawal = 'done' WHERE id = 1")
    seen = [line for line in run(*NOW, cwd=example).out.splitlines() if " p1 " in line]
    assert [" p1 · withdrawn " in line for line in seen] == [True]
    marks = {post["id"]: post["withdrawal"] for post in run_json(*NOW, "today", cwd=example)["today"]}
    assert (marks.pop("p1"), set(marks.values())) == ("done", {None})


# --- where it is called -----------------------------------------------------------------------------------------------


def test_bare_cm_is_the_same_wherever_it_is_called(example: Path, run: Run, tmp_path: Path) -> None:
    here = run(*NOW, cwd=example)
    assert run(*NOW, "today", cwd=example).out == here.out
    assert run("-C", str(example), *NOW, cwd=tmp_path).out == here.out
    as_json = run("-C", str(example), *NOW, "--json", cwd=tmp_path)
    assert as_json.json == run(*NOW, "today", "--json", cwd=example).json
    assert as_json.json["lines"]


def test_without_a_workspace_it_helps(tmp_path: Path, run: Run) -> None:
    done = run(cwd=tmp_path)
    assert done.code == 0
    assert "calendar" in done.out
    assert "cm init" in done.err
    assert run("-C", str(tmp_path)).code == 3


def test_help_without_a_workspace_loads_no_database(tmp_path: Path) -> None:
    assert not loaded(fresh(cwd=tmp_path).modules, "sqlalchemy", "sqlmodel", "httpx", "yaml", "rich")


def test_json_before_a_command_is_not_swallowed(example: Path, run: Run) -> None:
    assert run("--json", "post", "list", cwd=example).code == 2


def test_it_loads_neither_network_nor_the_library_of_holidays_twice(example: Path) -> None:
    """The library of holidays is asked once; then its answer is read from a file."""
    for _again in range(2):
        done = fresh(*NOW, cwd=example)
        assert done.code == 0
    assert not loaded(done.modules, "httpx", "alembic", "openpyxl", "holidays")


def statements(root: Path) -> int:
    """How many statements one look takes."""
    opened = open_workspace(root, now=parse_instant(AT, PARIS))
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        standing(opened.env)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
        opened.close()
    return len(seen)


def test_the_number_of_statements_does_not_grow(troubled: Path) -> None:
    before = statements(troubled)
    columns = [row[1] for row in sql(troubled, "PRAGMA table_info(post)")]
    names = ", ".join(name for name in columns if name not in ("id", "ref", "story_id"))
    for number in (2, 3, 7, 8, 12, 13, 30):
        for _copy in range(20):
            sql(troubled, f"INSERT INTO post ({names}) SELECT {names} FROM post WHERE id = ?", number)
    assert statements(troubled) == before


# --- the lines as a rule ----------------------------------------------------------------------------------------------

CONFIG = Config.model_validate(SETTINGS)
SORTS = ("failed", "unconfirmed", "missed", "overdue", "handed", "draft")


def glimpse(number: int, state: str = "scheduled") -> Glimpse:
    return Glimpse(f"p{number}", "facebook", PostState(state), local("2026-11-23T08:30"), "Bonjour")


def few(count: int, most: int, state: str = "scheduled") -> Few:
    return Few(tuple(glimpse(number, state) for number in range(min(count, most))), count)


def a_standing(sizes: list[int], posts: int, stops: int, texts: int, dormant: int) -> Standing:
    now = parse_instant(AT, PARIS).astimezone(PARIS)
    names = [f"channel{n}" for n in range(dormant)]
    return Standing(
        now=now,
        today=now.date(),
        config=CONFIG,
        stops=tuple(Stop(f"channel{n}", now, None if n % 2 else now + timedelta(hours=1), "why") for n in range(stops)),
        troubled={sort: few(size, 3) for sort, size in zip(SORTS, sizes, strict=True) if size},
        broken=few(sizes[0], 3),
        texts=tuple(Path(f"add-20261122T113000-facebook{n}.txt") for n in range(texts)),
        of_today=few(posts, 20),
        upcoming=None,
        quotas=tuple(DayCount(now.date(), name, 1, 3, 5) for name in names),
        coming={},
        next_gap=dict.fromkeys(names, date(2026, 12, 1)),
        channels=tuple(dormant_channel(name) for name in names),
        last_tick=None,
    )


def dormant_channel(name: str) -> ChannelView:
    texts = ("platform", "adapter", "account", "address", "owner", "owner_name", "purpose")
    return ChannelView(
        name=name, **dict.fromkeys(texts, "x"), opened_on=date(2020, 1, 1), audiences=("public",), state="active",
        successor=None, simulated=False, planned=1, published=0, last_published_at=None, dormant=True,
    )  # fmt: skip


counts = st.integers(0, 30)


@settings(deadline=None)
@given(st.lists(counts, min_size=6, max_size=6), counts, counts, counts, counts)
def test_it_always_fits_and_leaves_no_sort_out(
    sizes: list[int], posts: int, stops: int, texts: int, dormant: int
) -> None:
    given_ = a_standing(sizes, posts, stops, texts, dormant)
    lines = today(given_)
    assert len(lines) <= LINES
    kinds = [line.kind for line in lines if line.part == "act"]
    for sort, size in zip(SORTS, sizes, strict=True):
        assert (sort in kinds) is (size > 0)
    assert ("dormant" in kinds) is (dormant > 0)
    assert all(line.command for line in lines if line.part == "act")
    assert any(line.kind == "calm" for line in lines) is (not any(line.part in ("act",) for line in lines))
    counted = sum(line.part == "today" and line.kind != "more" for line in lines)
    assert counted == posts or any(line.kind == "more" for line in lines)


def test_everything_is_named_where_there_is_room() -> None:
    quiet = replace(a_standing([0, 0, 3, 0, 0, 0], 4, 0, 0, 0), broken=Few())
    assert [line.kind for line in today(quiet)] == ["missed"] * 3 + ["scheduled"] * 4


def test_words_that_were_refused_are_edited_before_they_get_another_time(example: Path, run: Run) -> None:
    config = example / "config.yaml"
    text = config.read_text(encoding="utf-8")
    limited = text.replace(
        "account: hopital.tilleuls\n", "account: hopital.tilleuls\n    settings: {max_characters: 100}\n"
    )
    config.write_text(limited, encoding="utf-8")
    at = ("--now", "2026-11-23T08:31")
    assert run(*at, "publish", cwd=example).code == 7
    failed = run("post", "list", "state:failed", "--json", cwd=example).json["posts"][0]["id"]
    assert f"→ cm edit {failed}" in run(*at, cwd=example).out
    assert run("--now", "2026-11-23T08:33", "post", "edit", failed, "--text", "Plus court.", cwd=example).code == 0
    assert f"→ cm move {failed} --next" in run("--now", "2026-11-23T08:34", cwd=example).out


def test_a_channel_at_rest_goes_on_at_a_local_time() -> None:
    """The database keeps instants; a person lives in Paris, an hour ahead of them."""
    found = replace(a_standing([0] * 6, 0, 0, 0, 0), stops=(rest_until("2026-11-23T10:09"),))
    [line] = [line for line in today(found) if line.kind == "resting"]
    assert "10:09" in line.tail


def rest_until(wall: str) -> Stop:
    ends = parse_instant(wall, PARIS)
    return Stop("facebook", ends, ends, "out of reach", "breaker")


def test_what_is_late_on_a_stopped_channel_is_mended_by_letting_it_go_on() -> None:
    stopped = Stop("facebook", parse_instant(AT, PARIS), None, "too many at once", "backlog")
    found = replace(a_standing([0, 0, 0, 7, 0, 0], 0, 0, 0, 0), stops=(stopped,))
    late = {line.command for line in today(found) if line.kind == "overdue"}
    assert late == {"cm channel resume facebook"}


def test_the_register_says_which_channel_is_stopped_and_what_ends_that(troubled: Path, run: Run) -> None:
    listed = run(*NOW, "channel", "list", cwd=troubled)
    assert "stopped" in listed.out
    assert "another account → cm channel resume facebook" in listed.err
    sql(troubled, "UPDATE account SET pause_kind = 'breaker', paused_until = '2026-11-23 08:30:00.000000' WHERE id = 1")
    shown = run(*NOW, "channel", "show", "facebook", cwd=troubled)
    assert re.search(r"at rest until Mon .*09:30", " ".join(shown.out.split()))
    assert "cm channel resume facebook" in shown.err
