"""Files of other tools, both ways: nothing guessed, nothing fetched, every loss named."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Run
from support_calendar import SETTINGS, add, at, make_env, set_state, table

from cm.calendar.cells import DAY_FIRST, MONTH_FIRST
from cm.calendar.foreign import Reading
from cm.calendar.foreign_out import MOST_ROWS, export_for
from cm.calendar.importing import ImportResult, import_posts
from cm.calendar.sql import POST
from cm.env import Env
from cm.errors import NotFound, Refused, UsageError
from cm.model.states import PostState

AT = ("--now", "2026-11-20T12:00")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path, objectives={"inform": {"label": "Faire connaître"}})


def load(env: Env, text: str | bytes, tool: str, **options: Any) -> ImportResult:
    data = text.encode() if isinstance(text, str) else text
    return import_posts(env, data, filename="x", reading=Reading(tool=tool, **options))


def planned(env: Env, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(found[column] for column in ("wall", "text", *columns)) for found in table(env, POST)]


def faults(result: ImportResult) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in result.errors]


FB = {"channel": "facebook", "kind": "announcement"}

# --- what must be shown, 3 --------------------------------------------------------------------------------------------


@pytest.mark.row("S18")
@pytest.mark.parametrize("order", ["--day-first", "--month-first"])
def test_a_week_survives_hootsuites_file(
    order: str, example: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path
) -> None:
    """Posts, times and links of a whole week, channel by channel, in a workspace that knew none of them."""
    empty = tmp_path / "empty"
    assert run("init", str(empty), "--empty").code == 0
    for name in ("config.yaml", "schedules/facebook.yaml", "schedules/twitter.yaml"):
        (empty / name).write_bytes((example / name).read_bytes())

    def week(root: Path) -> list[tuple[Any, ...]]:
        posts = run_json(*AT, "post", "list", "--week", "2026-W48", cwd=root)["posts"]
        return sorted((post["channel"], post["scheduled_at"], post["text"], post["link"] or "") for post in posts)

    for channel in ("facebook", "twitter"):
        file = str(tmp_path / f"{channel}.csv")
        export = ["--format", "hootsuite", "--channel", channel, "--week", "2026-W48", order]
        assert run(*AT, "calendar", "export", file, *export, cwd=example).code == 0
        options = ["--from", "hootsuite", "--channel", channel, "--kind", "announcement", order]
        result = run_json(*AT, "calendar", "import", file, *options, cwd=empty)
        assert (result["errors"], result["updated"]) == ([], 0)
        assert run_json(*AT, "calendar", "import", file, *options, cwd=empty)["unchanged"] == result["created"]
    assert week(empty) == week(example)
    assert len(week(empty)) == 54


@pytest.mark.row("S18")
def test_hootsuites_file_has_three_columns_no_header_and_the_losses_are_said(
    example: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "fb.csv"
    options = ["--format", "hootsuite", "--channel", "facebook", "--week", "2026-W48", "--day-first"]
    told = run_json(*AT, "calendar", "export", str(file), *options, cwd=example)
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    assert {len(cells) for cells in rows} == {3}
    assert rows[0][0] == "23/11/2026 08:30"
    assert rows[0][2] == "https://www.hopital-tilleuls.example/semaine-vaccination"
    assert rows[0][2] not in rows[0][1]
    assert (told["posts"], told["left_out"]) == (len(rows), [])
    lost = {loss["what"]: loss["posts"] for loss in told["lost"]}
    assert len(lost["refs, stories, kinds, audiences and languages"]) == len(rows)
    said = run(*AT, "calendar", "export", str(file), *options, cwd=example).err
    assert f"Lost of {len(rows)} posts: refs, stories, kinds, audiences and languages (fb-d00-a, " in said


# --- Hootsuite --------------------------------------------------------------------------------------------------------


def test_hootsuites_days_are_never_guessed(env: Env) -> None:
    rows = ("25/11/2026 09:00,clair,", "03/12/2026 09:00,deux façons,", "11/26/2026 09:00,clair,", "11/11/2027 9:00,a,")
    text = "\n".join(rows)
    result = load(env, text, "hootsuite", **FB)
    assert faults(result) == [(2, "date")]
    assert "--day-first or --month-first" in result.errors[0].message
    assert faults(load(env, text, "hootsuite", dates=DAY_FIRST, **FB)) == [(3, "date")]
    assert faults(load(env, text, "hootsuite", dates=MONTH_FIRST, **FB)) == [(1, "date"), (2, "date")]


def test_the_order_that_is_declared_is_used_and_told(env: Env) -> None:
    result = load(env, "03/12/2026 09:00,Bonjour,https://a.example\n", "hootsuite", dates=DAY_FIRST, **FB)
    assert planned(env, "link", "channel", "kind") == [
        ("2026-12-03T09:00", "Bonjour", "https://a.example", "facebook", "announcement")
    ]
    assert result.read_as is not None
    assert result.read_as["dates"] == "DD/MM/YYYY"
    load(env, "01/02/2027 09:00,Bonjour,\n", "hootsuite", dates=MONTH_FIRST, **FB)
    assert planned(env)[1][0] == "2027-01-02T09:00"


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_message_may_hold_more_separators_than_the_file(env: Env, separator: str) -> None:
    other = ";" if separator == "," else ","
    text = f"a{other} b{other} c{other} d"
    data = f"25/11/2026 09:00{separator}{text}{separator}https://a.example\n"
    assert load(env, data, "hootsuite", **FB).errors == ()
    assert planned(env, "link") == [("2026-11-25T09:00", text, "https://a.example")]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",Bonjour,", "date"),
        ("25/11/2026,Bonjour,", "date"),
        ("bientôt,Bonjour,", "date"),
        ("25/11/2026 25:00,Bonjour,", "date"),
        ("25/11/2026 09:00,,", "text"),
        ("25/11/2026 09:00,Bonjour,,extra", ""),
        ("19/11/2026 09:00,Bonjour,", "date"),
    ],
)
def test_bad_rows_of_hootsuite_are_told(env: Env, row: str, column: str) -> None:
    assert faults(load(env, f"26/11/2026 09:00,Salut,\n{row}\n", "hootsuite", **FB)) == [(2, column)]


def test_importing_into_a_calendar_that_knows_the_posts_keeps_what_the_file_cannot_say(env: Env) -> None:
    add(env, "Bonjour", wall="2026-11-25T09:00", kind="quiz", ref="a", theme="hiver", audiences=("families",))
    result = load(env, "25/11/2026 09:00,Bonsoir,\n", "hootsuite", **FB)
    assert (result.created, result.updated) == (0, 1)
    assert planned(env, "ref", "kind", "theme", "audiences") == [
        ("2026-11-25T09:00", "Bonsoir", "a", "quiz", "hiver", ["families"])
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, "--channel NAME --kind"), ({"kind": "quiz"}, "--channel NAME"), ({"channel": "facebook"}, "--kind")],
)
def test_what_the_file_does_not_say_must_be_given(env: Env, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(env, "25/11/2026 09:00,Bonjour,\n", "hootsuite", **options)
    assert words in caught.value.hint


def test_options_must_exist(env: Env) -> None:
    with pytest.raises(NotFound):
        load(env, "a", "hootsuite", channel="myspace", kind="quiz")
    with pytest.raises(UsageError, match="gossip"):
        load(env, "a", "hootsuite", channel="facebook", kind="gossip")
    with pytest.raises(UsageError, match="myspace"):
        load(env, "a", "myspace", **FB)
    with pytest.raises(UsageError, match="--map"):
        load(env, "a", "cm", words={"a": "b"})


# --- other shapes -----------------------------------------------------------------------------------------------------


def test_buffers_two_shapes(env: Env) -> None:
    load(env, "Text,Image URL,Tags,Posting Time\nBonjour,,été,2026-11-25 09:00\n", "buffer", **FB)
    text = "Text,Scheduled Date,Scheduled Time,Profile\nBonsoir,2026-11-25,6:30 PM,Facebook\n"
    result = load(env, text, "buffer", kind="quiz")
    assert planned(env, "kind") == [
        ("2026-11-25T09:00", "Bonjour", "announcement"),
        ("2026-11-25T18:30", "Bonsoir", "quiz"),
    ]
    assert result.read_as is not None
    assert result.read_as["ignored"] == []


def test_publers_file_may_leave_the_time_to_the_slots(env: Env) -> None:
    text = (
        "Date - Intl. format or prompt,Text,Link(s) - Separated by comma,Media URL(s),Label(s),Comment(s)\n"
        "2026/11/25 09:00,Bonjour,https://a.example,,lundi,Venez !\n"
        ",Plus tard,,,,\n"
        "next Friday at 2 PM,Jamais,,,,\n"
    )
    assert faults(load(env, text, "publer", **FB)) == [(4, "date")]
    result = load(env, text.replace("next Friday at 2 PM,Jamais,,,,\n", ""), "publer", **FB)
    assert result.errors == ()
    assert planned(env, "link", "first_comment") == [
        ("2026-11-25T09:00", "Bonjour", "https://a.example", "Venez !"),
        ("2026-11-20T12:30", "Plus tard", None, None),
    ]


def test_highlevels_file(env: Env) -> None:
    text = (
        "postAtSpecificTime (YYYY-MM-DD HH:mm:ss),content,link (OGmetaURL),imageUrls,videoUrls\n"
        '2026-11-25 09:00:00,"Bonjour,\nà tous",https://a.example,,\n'
        "2026-11-25 10:00:00,Image,,https://a.example/a.jpg,\n"
    )
    result = load(env, text, "gohighlevel", **FB)
    assert faults(result) == [(3, "media")]
    assert "--without-media" in result.errors[0].message
    assert load(env, text, "gohighlevel", without_media=True, **FB).created == 2
    assert planned(env)[0] == ("2026-11-25T09:00", "Bonjour,\nà tous")


PLANNER = "Date,Platform,Content Type,Topic,Caption,Target Audience,Goal,Status\n"


def test_a_planning_sheet_is_read_by_its_words(env: Env) -> None:
    text = PLANNER + (
        "25/11/2026,Facebook,Quiz,hiver,Bonjour,Families; General public,Faire connaître,Draft\n"
        "25/11/2026,X,press release,,Madame,,inform,Done\n"
        "25/11/2026,@tilleuls,Announcement,,Monsieur,Patients and families,,\n"
    )
    result = load(env, text, "planner")
    assert result.errors == ()
    assert planned(env, "channel", "kind", "theme", "audiences", "objective") == [
        ("2026-11-25T08:30", "Bonjour", "facebook", "quiz", "hiver", ["families", "public"], "inform"),
        ("2026-11-25T08:30", "Madame", "twitter", "press_release", None, ["institutions", "professionals"], "inform"),
        ("2026-11-25T10:30", "Monsieur", "twitter", "announcement", None, ["families"], None),
    ]
    assert result.read_as is not None
    assert result.read_as["ignored"] == ["Status"]


def test_words_that_stand_for_nothing_name_the_row_and_the_flag(env: Env) -> None:
    text = PLANNER + "25/11/2026,Insta,Reel,,Bonjour,Everybody,Awareness,\n25/11/2026,Facebook,,,Bonsoir,,,\n"
    result = load(env, text, "planner")
    assert set(faults(result)) == {(2, "channel"), (2, "kind"), (2, "audiences"), (2, "objective"), (3, "kind")}
    assert "--map 'Insta'=KEY" in next(error.message for error in result.errors if error.column == "channel")
    words = {"insta": "facebook", "Reel": "backstage", "everybody": "public", "Awareness": ""}
    result = load(env, text, "planner", words=words, kind="quiz")
    assert result.errors == ()
    assert planned(env, "channel", "kind", "audiences", "objective") == [
        ("2026-11-25T08:30", "Bonjour", "facebook", "backstage", ["public"], None),
        ("2026-11-25T10:30", "Bonsoir", "facebook", "quiz", ["public", "families"], None),
    ]


def test_a_platform_with_two_channels_is_not_guessed(tmp_path: Path) -> None:
    second = {**SETTINGS["channels"]["facebook"], "account": "second"}
    slots = SETTINGS["schedules"]["facebook"]
    channels = {"page": SETTINGS["channels"]["facebook"], "jobs": second}
    env = make_env(tmp_path, channels=channels, schedules={"page": slots, "jobs": slots})
    result = load(
        env, PLANNER + "25/11/2026,Facebook,Quiz,,Bonjour,,,\n25/11/2026,second,Quiz,,Bonsoir,,,\n", "planner"
    )
    assert faults(result) == [(2, "channel")]
    assert "jobs, page" in result.errors[0].message


def test_a_planning_sheet_may_be_a_workbook(env: Env) -> None:
    book = openpyxl.Workbook()
    book.active.append(PLANNER.strip().split(","))
    book.active.append([at("2026-11-25"), "Facebook", "Quiz", "", "Bonjour", "", "", "=1"])
    out = io.BytesIO()
    book.save(out)
    assert load(env, out.getvalue(), "planner").errors == ()
    assert planned(env) == [("2026-11-25T08:30", "Bonjour")]


def test_other_headings_are_refused_unless_they_are_left_out(env: Env) -> None:
    text = "Text,Posting Time,Mood\nBonjour,2026-11-25 09:00,gai\n"
    result = load(env, text, "buffer", **FB)
    assert faults(result) == [(1, "Mood")]
    assert load(env, text, "buffer", ignored=("mood",), **FB).created == 1


def test_a_file_of_another_tool_is_recognised_but_not_taken_unasked(env: Env) -> None:
    result = import_posts(env, b"Text,Image URL,Tags,Posting Time\na,,,2026-11-25 09:00\n", filename="x")
    assert "--from buffer" in result.errors[0].message


# --- out --------------------------------------------------------------------------------------------------------------


def test_only_posts_that_a_tool_would_take_are_exported(env: Env) -> None:
    add(env, "un", ref="soon", wall="2026-11-25T09:00")
    add(env, "deux", ref="draft", draft=True)
    set_state(env, add(env, "trois", ref="out", wall="2026-11-25T10:00"), PostState.PUBLISHED)
    made = export_for(env, "hootsuite", dates=DAY_FIRST, channel="facebook")
    assert made.data.decode() == "25/11/2026 09:00,un,\r\n"
    assert (made.posts, set(made.left_out)) == (1, {"draft", "out"})


def test_what_is_lost_is_named(env: Env) -> None:
    add(env, "un\n---\ndeux", ref="thread", wall="2026-11-25T09:00", first_comment="Venez", theme="hiver")
    add(env, "@mairie bonjour", ref="at", wall="2026-11-25T10:00")
    made = export_for(env, "hootsuite", dates=DAY_FIRST, channel="facebook")
    lost = {loss.what.partition(":")[0]: loss.posts for loss in made.losses}
    assert lost == {
        "refs, stories, kinds, audiences and languages": ("thread", "at"),
        "first comments": ("thread",),
        "themes, campaigns and objectives": ("thread",),
        "threads": ("thread",),
        "a text that a spreadsheet takes for a formula": ("at",),
    }
    assert b",@mairie bonjour," in made.data


def test_buffers_file_keeps_the_link_below_the_text(env: Env) -> None:
    add(env, "Bonjour", wall="2026-11-25T09:00", link="https://a.example", theme="hiver")
    made = export_for(env, "buffer", channel="facebook")
    assert list(csv.reader(io.StringIO(made.data.decode(), newline=""))) == [
        ["Text", "Image URL", "Tags", "Posting Time"],
        ["Bonjour\n\nhttps://a.example", "", "hiver", "2026-11-25 09:00"],
    ]


def test_one_file_is_for_one_channel_and_of_bounded_length(tmp_path: Path) -> None:
    env = make_env(tmp_path, cadence={"min": 0, "max": 100})
    with pytest.raises(Refused, match="No scheduled post"):
        export_for(env, "buffer")
    add(env, "un", wall="2026-11-25T09:00")
    add(env, "deux", wall="2026-11-25T09:00", channel="twitter")
    with pytest.raises(Refused, match="facebook, twitter"):
        export_for(env, "buffer")
    with pytest.raises(UsageError, match="day or the month"):
        export_for(env, "hootsuite", channel="facebook")
    rows = "".join(
        f"{25 + n // 90}/11/2026 {n % 90 // 10 + 9:02d}:{n % 10 * 5:02d},t{n},\n" for n in range(MOST_ROWS + 1)
    )
    assert load(env, rows, "hootsuite", **FB).errors == ()
    with pytest.raises(Refused, match="351 posts") as caught:
        export_for(env, "hootsuite", dates=DAY_FIRST, channel="facebook")
    assert "week by week" in caught.value.hint


def test_a_tools_file_can_be_printed(example: Path, run: Run) -> None:
    options = ["--format", "buffer", "--channel", "twitter", "--week", "2026-W48"]
    done = run(*AT, "calendar", "export", *options, "--json", cwd=example)
    assert done.json["csv"].startswith("Text,Image URL,Tags,Posting Time\r\n")
    assert done.json["posts"] > 10


@pytest.mark.parametrize("pair", ["a", "=b"])
def test_a_mapping_needs_both_sides(pair: str, example: Path, run_err: Callable[..., Any]) -> None:
    assert "--map" in run_err(2, "calendar", "import", "-", "--map", pair, cwd=example)["hint"]
