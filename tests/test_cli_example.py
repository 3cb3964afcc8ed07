"""From an empty folder to a weekly report on the example: init, demo, import, replay, and what is refused."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support_cli import change_config, make_due, sql, use_outbox

from cm.clock import week_of

NOW = ("--now", "2026-11-20T12:00")
RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]


def test_init_makes_the_example(tmp_path: Path, run: Run) -> None:
    done = run("--now", "2026-11-20T12:00", "init", str(tmp_path / "new"))
    assert (done.code, done.out) == (0, "")
    assert "110 example posts" in done.err
    assert "cm calendar show --week 2026-W48" in done.err
    assert (tmp_path / "new" / "schedules" / "system" / "crontab").is_file()
    ignored = (tmp_path / "new" / ".gitignore").read_text(encoding="utf-8")
    assert all(name in ignored.splitlines() for name in ("cm.db*", "media/", "outbox/", "secrets/"))
    assert run("config", "check", cwd=tmp_path / "new").code == 0


def test_init_overwrites_nothing(example: Path, run_err: RunErr) -> None:
    before = {path: path.read_bytes() for path in example.rglob("*") if path.is_file()}
    for extra in ((), ("--empty",)):
        error = run_err(4, "init", str(example), *extra)
        assert "config.yaml" in error["message"]
        assert error["hint"]
    assert {path: path.read_bytes() for path in example.rglob("*") if path.is_file()} == before


def test_an_empty_workspace(tmp_path: Path, run: Run, run_json: RunJson) -> None:
    assert run_json("init", "--empty", cwd=tmp_path) == {"workspace": str(tmp_path), "monday": None, "posts": 0}
    assert run_json("config", "check", cwd=tmp_path) == {"problems": []}
    assert run("post", cwd=tmp_path).err == "0 posts.\n"
    assert run_json("channel", cwd=tmp_path) == {"channels": []}
    for command in (("publish",), ("story",), ("channel",), ("calendar",), ("report",), ("metrics", "collect")):
        done = run(*command, cwd=tmp_path)
        assert (done.code, "Traceback" in done.err) == (0, False)


@pytest.mark.row("S146", "S19")
def test_six_commands_to_the_first_report(tmp_path: Path, run: Run, run_json: RunJson) -> None:
    """As the README prints them; the days are those of the Monday after today. No network: sockets are blocked."""
    monday = run_json("init", "hospital", cwd=tmp_path)["monday"]  # 1
    root = tmp_path / "hospital"
    week = week_of(date.fromisoformat(monday))
    end = week.shift(1).monday.isoformat()
    grid = run("calendar", "show", "--week", str(week), cwd=root)  # 2
    assert (grid.code, grid.out.splitlines()[0][:8]) == (0, str(week))
    replayed = run("publish", "--replay", f"{monday}..{end}", cwd=root)  # 3
    assert (replayed.code, replayed.err.splitlines()[-1]) == (0, "54 published")
    assert run("--now", f"{end}T07:30", "metrics", "collect", cwd=root).code == 0  # 4
    report = run("--now", f"{end}T08:05", "report", "week", cwd=root)  # 5
    assert report.code == 0
    assert "SIMULATION" in report.out.splitlines()[0]
    assert "54 posts, 54 of them measured" in report.out
    assert run("--now", f"{end}T08:05", "report", "week", cwd=root) == report
    published = run_json("post", "list", "--week", str(week), "--state", "published", cwd=root)["posts"]
    assert all(message["receipt"]["permalink"] for post in published for message in post["messages"])


@pytest.mark.row("S19")
def test_the_demo(tmp_path: Path, run: Run) -> None:
    done = run("demo", "--keep", str(tmp_path / "demo"))
    assert done.code == 0
    assert [line for line in done.err.splitlines() if line.startswith("$ ")][-1].endswith("report week")
    assert "Most engaging posts" in done.out
    assert "56 posts, 56 of them measured" in done.out.splitlines()[-1]
    assert run("demo", "--keep", str(tmp_path / "demo")).code == 4


@pytest.mark.row("S19")
def test_a_week_on_paper_needs_no_network(example: Path, run: Run, run_json: RunJson) -> None:
    """Posts become files for a person, who says where they stand; the report counts them."""
    use_outbox(example)
    sql(example, "UPDATE post SET example = 0")
    make_due(example, where="id IN (1, 2, 3)")
    handed = run_json("publish", cwd=example)["handed"]
    assert [entry["id"] for entry in handed] == ["p1", "p2", "p3"]
    files = [path for path in (example / "outbox").rglob("*") if path.is_file()]
    assert any("semaine de la vaccination" in path.read_text(encoding="utf-8", errors="ignore") for path in files)
    for number, entry in enumerate(handed):
        url = f"https://www.facebook.com/hopital.tilleuls.example/posts/{100 + number}"
        assert run("post", "confirm", entry["id"], "--url", url, cwd=example).code == 0
    collected = run_json("metrics", "collect", "--channel", "facebook", cwd=example)["channels"]
    assert collected[0]["status"] == "skipped"


def test_example_posts_are_never_really_sent(example: Path, run: Run, run_json: RunJson) -> None:
    assert all(post["example"] for post in run_json("post", "list", cwd=example)["posts"])
    make_due(example, where="id IN (1, 6)")  # one on facebook, one on twitter
    use_outbox(example)
    done = run("publish", "--json", cwd=example)
    assert done.code == 4
    assert [entry["id"] for entry in done.json["published"]] == ["p6"]
    refused = [entry for name in ("held", "deferred") for entry in done.json[name]]
    assert [(entry["id"], entry["reason"]) for entry in refused] == [
        ("p1", "example posts go out on simulated channels only")
    ]
    assert run_json("post", "p1", cwd=example)["state"] == "scheduled"
    assert "example posts go out" in run("post", "p1", cwd=example).out
    change_config(example, lambda data: data["channels"]["facebook"].update(adapter="sandbox"))
    assert [entry["id"] for entry in run_json("publish", cwd=example)["published"]] == ["p1"]


@pytest.mark.parametrize(
    "args",
    [
        ("publish", "--replay", "2026-11-23..2026-11-30"),
        ("--now", "2026-11-23T08:30", "publish"),
        ("--now", "2026-11-23T08:30", "post", "list"),
        ("--now", "2026-11-23T08:30", "metrics", "collect"),
    ],
)
def test_no_pretended_time_where_a_channel_is_real(example: Path, run_err: RunErr, args: tuple[str, ...]) -> None:
    use_outbox(example, "twitter")
    error = run_err(4, *args, cwd=example)
    assert error["kind"] == "refused"
    assert "twitter" in error["message"]


# --- the example's CSV ------------------------------------------------------------------------------------------------


def test_importing_twice_changes_nothing(example: Path, run: Run, run_json: RunJson) -> None:
    result = run_json(*NOW, "calendar", "import", "schedules/example.csv", cwd=example)
    assert {key: result[key] for key in ("created", "updated", "unchanged", "errors")} == {
        "created": 0, "updated": 0, "unchanged": 110, "errors": [],
    }  # fmt: skip
    done = run(*NOW, "calendar", "import", "schedules/example.csv", cwd=example)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[-1] == "0 created, 0 updated, 110 unchanged, 0 refused."


def changed_csv(example: Path, *changes: tuple[int, str, str]) -> bytes:
    """The example's file with cells changed: (row as a spreadsheet counts, column, value)."""
    text = (example / "schedules" / "example.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for row, column, value in changes:
        rows[row - 1][rows[0].index(column)] = value
    made = io.StringIO(newline="")
    csv.writer(made).writerows(rows)
    return made.getvalue().encode()


def test_one_text_and_one_time(example: Path, run: Run) -> None:
    data = changed_csv(example, (2, "text", "Un autre texte"), (5, "time", "17:05"))
    for flags, said in ((("--dry-run",), "dry run: nothing was written"), ((), "2 updated")):
        done = run(*NOW, "calendar", "import", "-", *flags, cwd=example, stdin=data)
        assert done.code == 0
        assert "0 created, 2 updated, 108 unchanged, 0 refused" in done.err
        assert said in done.err
        assert "Un autre texte" in done.out
        assert "17:05" in done.out
    again = run(*NOW, "calendar", "import", "-", cwd=example, stdin=data)
    assert "0 created, 0 updated, 110 unchanged" in again.err


def test_one_bad_row_stops_all(example: Path, run: Run, run_json: RunJson) -> None:
    data = changed_csv(example, (2, "text", "Un autre texte"), (57, "kind", "rumour"))
    before = run_json("post", "list", cwd=example)
    done = run(*NOW, "calendar", "import", "-", cwd=example, stdin=data)
    assert done.code == 4
    bad = next(line for line in done.out.splitlines() if "rumour" in line)
    assert bad.split()[:2] == ["57", "kind"]
    assert "Nothing was written" in done.err
    assert run_json("post", "list", cwd=example) == before
    as_json = run(*NOW, "calendar", "import", "-", "--json", cwd=example, stdin=data)
    assert as_json.code == 4
    assert [(error["row"], error["column"]) for error in as_json.json["errors"]] == [(57, "kind")]
    partial = run(*NOW, "calendar", "import", "-", "--partial", cwd=example, stdin=data)
    assert partial.code == 4
    assert "0 created, 1 updated, 108 unchanged, 1 refused." in partial.err


def test_a_published_row_may_not_change(example: Path, run: Run, run_json: RunJson) -> None:
    assert run_json("--now", "2026-11-23T08:31", "publish", cwd=example)["published"]
    done = run("--now", "2026-11-23T08:32", "calendar", "import", "-", "--json", cwd=example,
               stdin=changed_csv(example, (2, "text", "Autre")))  # fmt: skip
    assert done.code == 4
    assert [(error["row"], error["column"]) for error in done.json["errors"]] == [(2, "text")]


def test_a_lost_database_has_a_way_on(example: Path, run: Run, run_err: RunErr) -> None:
    (example / "cm.db").unlink()
    assert "cm init" in run_err(3, "post", "list", cwd=example)["hint"]
    run_err(3, "db", "upgrade", cwd=example)
    assert not (example / "cm.db").exists(), "an upgrade makes no database"
    config = (example / "config.yaml").read_bytes()
    assert run("init", cwd=example).code == 0
    assert (example / "config.yaml").read_bytes() == config
    assert run(*NOW, "calendar", "import", "schedules/example.csv", cwd=example).code == 0


def test_a_post_that_cannot_go_out_says_so_and_how_to_mend_it(example: Path, run: Run) -> None:
    done = run(*NOW, "post", "add", "-c", "facebook", "--kind", "event", "--text", "Portes ouvertes", cwd=example)
    assert "error: A post of kind event needs event_date." in done.err
    assert "will not be published before this is mended → cm post edit p111" in done.err


def test_the_diff_shows_where_two_texts_differ(example: Path, run: Run) -> None:
    long = "Un long texte qui ne change pas du tout. " * 10
    run(*NOW, "post", "edit", "p1", "--text", long + "fin", cwd=example)
    data = run("calendar", "export", cwd=example).out.replace("pas du tout. fin", "pas du tout. Fin")
    done = run(*NOW, "calendar", "import", "-", cwd=example, stdin=data.encode())
    assert "1 updated" in done.err
    assert "tout. fin" in done.out
    assert "tout. Fin" in done.out


def test_a_replay_that_ends_before_it_begins_is_refused(example: Path, run_err: RunErr) -> None:
    run_err(2, "publish", "--replay", "2026-12-05..2026-12-01", cwd=example)
    run_err(2, "--now", "2026-12-01", "publish", "--replay", "2026-12-01..2026-12-05", cwd=example)


HEAD = "ref,channel,date,time,kind,text\n"


def test_a_row_without_ref_takes_no_post_that_another_row_names(example: Path, run: Run, run_json: RunJson) -> None:
    run(*NOW, "post", "add", "-c", "facebook", "--kind", "announcement", "--at", "2027-01-06T09:00", "--text", "Un",
        cwd=example)  # fmt: skip
    rows = [",facebook,2027-01-06,09:00,announcement,Deux\n", "p111,facebook,2027-01-06,09:00,announcement,Un\n"]
    for order in (rows, rows[::-1]):
        done = run_json(
            *NOW, "calendar", "import", "-", "--dry-run", cwd=example, stdin=(HEAD + "".join(order)).encode()
        )
        assert (done["created"], done["updated"], done["unchanged"], done["errors"]) == (1, 0, 1, [])


def test_a_row_never_overwrites_what_was_laid_aside(example: Path, run: Run, run_json: RunJson) -> None:
    first = "channel,date,time,kind,text\nfacebook,2027-01-04,09:00,announcement,Texte A\n"
    run(*NOW, "calendar", "import", "-", cwd=example, stdin=first.encode())
    run(*NOW, "post", "cancel", "p111", cwd=example)
    again = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=first.encode())
    assert (again["created"], again["unchanged"]) == (0, 1)
    other = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=first.replace("Texte A", "Texte B").encode())
    assert (other["created"], other["updated"]) == (1, 0)
    assert run_json("post", "show", "p111", cwd=example)["text"] == "Texte A"


@pytest.mark.parametrize(
    "args",
    [
        ("calendar", "show", "--week", "9999-W52"),
        ("calendar", "gaps", "--from", "9999-12-20"),
        ("post", "add", "-c", "facebook", "--kind", "quiz", "--text", "x", "--at", "0001-01-01T00:00"),
        ("post", "list", "--week", "9999-W52"),
        ("post", "confirm", "p1", "--url", "https://[x"),
    ],
)
def test_what_nobody_plans_for_is_a_usage_error(example: Path, run_err: RunErr, args: tuple[str, ...]) -> None:
    assert run_err(2, *NOW, *args, cwd=example)["message"]


def test_odd_cells_are_rows_errors_with_their_column(example: Path, run: Run) -> None:
    rows = (
        "channel,date,time,kind,text,media\n"
        "facebook,0001-01-01,00:00,announcement,x,\n"
        f"facebook,2027-01-05,09:00,announcement,x,{'a' * 300}.jpg\n"
    )
    done = run(*NOW, "calendar", "import", "-", "--json", cwd=example, stdin=rows.encode())
    assert done.code == 4
    assert [(error["row"], error["column"]) for error in done.json["errors"]] == [(2, "date"), (3, "media")]


def test_a_post_is_not_moved_to_a_closed_or_forgotten_channel(example: Path, run: Run, run_err: RunErr) -> None:
    change_config(example, lambda data: data["channels"]["twitter"].update(state="closed"))
    assert "closed" in run_err(4, *NOW, "post", "move", "p6", "--at", "2027-01-20T09:00", cwd=example)["message"]
    change_config(example, lambda data: data["channels"].pop("twitter"))
    (example / "schedules" / "twitter.yaml").unlink()
    for args in (("move", "p6", "--next"), ("edit", "p6", "--language", "")):
        assert "twitter" in run_err(5, *NOW, "post", *args, cwd=example)["message"]


def test_an_id_beyond_all_numbers_is_not_found(example: Path, run_err: RunErr) -> None:
    run_err(5, "post", "show", "p" + "9" * 5000, cwd=example)


def test_refs_that_look_alike_are_one(example: Path, run: Run) -> None:
    rows = (
        "Caf\u00e9,facebook,2027-01-05,09:00,announcement,Un\n"
        "Cafe\u0301,facebook,2027-01-05,10:00,announcement,Deux\n"
        "Caf\u00e9\u200b,facebook,2027-01-05,11:00,announcement,Trois\n"
    )
    done = run(*NOW, "calendar", "import", "-", "--json", cwd=example, stdin=(HEAD + rows).encode())
    assert [(error["row"], error["column"]) for error in done.json["errors"]] == [(3, "ref"), (4, "ref")]


@pytest.mark.parametrize("why", ["\udcff", "a\x1b[31mb", " "])
def test_a_reason_that_cannot_be_kept_is_a_usage_error(example: Path, run: Run, run_err: RunErr, why: str) -> None:
    assert "--why" in run_err(2, "post", "cancel", "p60", "--why", why, cwd=example)["message"]
    assert run("post", "show", "p60", "--json", cwd=example).json["state"] == "scheduled"


def test_an_address_with_broken_signs_is_a_usage_error(example: Path, run_err: RunErr) -> None:
    run_err(2, "post", "confirm", "p60", "--url", "https://x.example/\udcff1", cwd=example)


def test_what_the_example_has_in_comments_can_be_switched_on(example: Path, run: Run) -> None:
    """Each commented line, taken in, is read as it is meant: nobody learns in a crisis that it never worked."""
    path = example / "config.yaml"
    text = path.read_text(encoding="utf-8")
    crisis = text[text.index("# crisis:") : text.index("\n# Audiences inside")]
    for block in (crisis, "# internal_audiences: [staff]", "    # backlog: off"):
        assert block in text
        text = text.replace(block, block.replace("# ", "", 1) if "\n" not in block else block.replace("\n# ", "\n")[2:])
    text = text.replace(
        "roles: [communication_director],", 'roles: [communication_director], phone: "+33 1 02 03 04 05",'
    )
    path.write_text(text, encoding="utf-8")
    done = run("config", "check", cwd=example)
    assert done.code == 0, done.err
    stopped = run("stop", cwd=example)
    assert "+33 1 02 03 04 05" in stopped.out
    said = run("--now", "2026-11-27T18:00", "add", "--urgent", "--crisis", "--statement", "--yes", cwd=example)
    assert said.code == 0, said.err
