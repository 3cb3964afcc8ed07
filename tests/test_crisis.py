"""A crisis on a Friday evening, one urgent text for every channel, and what is meant for people inside."""

import csv
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from support_cli import change_config, sql
from support_terminal import typed

from cm.channels.sandbox.platform import SandboxPlatform
from cm.checks.rules import exposed, is_internal

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]

SIX = ("--now", "2026-11-27T18:00")
STATEMENT = "Un incident est en cours dans le bâtiment B. Les urgences restent ouvertes. Point d'étape à 19 h ici même."
TEXT = "Évacuation du bâtiment B en cours. " * 12 + "Tout est dit sur https://hopital-tilleuls.example/incident"


def intranet(data: dict[str, Any]) -> None:
    """A third channel, for people inside; and short messages on twitter."""
    twitter = data["channels"]["twitter"]
    twitter["settings"] = {"max_characters": 120}
    inside = {**twitter, "platform": "intranet", "account": "tous", "audiences": ["staff"], "settings": {}}
    data["channels"]["intranet"] = inside | {"address": "https://intranet.example"}


# --- Friday 18:00, one person -----------------------------------------------------------------------------------------


@pytest.mark.row("S114")
def test_friday_at_six(example: Path, run: Run, run_json: RunJson, tmp_path: Path) -> None:
    """Everything stopped in one command, a statement on all channels in four, the log in somebody's hands."""
    change_config(example, lambda data: data.update(crisis={"cell": ["helene"], "statement": {"fr": STATEMENT}}))
    run("publish", "--replay", "2026-11-23T00:00..2026-11-27T18:00", cwd=example)
    log = tmp_path / "log.csv"
    commands = [
        ("stop", "--reason", "incendie bâtiment B"),
        ("add", "--urgent", "--crisis", "--statement", "--yes"),
        ("publish",),
        ("audit", "export", str(log)),
    ]
    codes = [run(*SIX, *command, cwd=example).code for command in commands]
    assert codes == [0, 0, 0, 0]
    assert len(commands) <= 6
    platform = SandboxPlatform(example)
    for account in ("hopital.tilleuls", "@hop_tilleuls"):
        assert platform.posts(account)[-1].text == STATEMENT
    with log.open(encoding="utf-8", newline="") as file:
        acts = [(row["verb"], row["why"]) for row in csv.DictReader(file)]
    assert ("hold.on", "incendie bâtiment B") in acts
    assert [verb for verb, _why in acts][-2:] == ["post.add", "post.add"]

    out = len(platform.posts("hopital.tilleuls"))
    assert run("--now", "2026-11-27T19:05", "publish", cwd=example).code == 7  # p38 was for 19:00
    run("--now", "2026-11-28T10:05", "publish", cwd=example)
    assert len(platform.posts("hopital.tilleuls")) == out
    missed = run_json("hold", "status", cwd=example)["missed"]
    assert [post["id"] for post in missed] == ["p38", "p46", "p43"]
    code, seen = typed("--now", "2026-11-28T10:30", "hold", "off", keys="n\nc\nl\na\n", cwd=example)
    assert code == 0, seen
    posts = {post["id"]: post["state"] for post in run_json("post", "list", "p38", "p46", "p43", cwd=example)["posts"]}
    assert posts == {"p38": "scheduled", "p46": "cancelled", "p43": "missed"}
    assert run("--now", "2026-11-28T12:00", "publish", cwd=example).code == 0
    assert run("audit", "verify", cwd=example).code == 0


def test_the_statement_is_in_the_language_of_the_channel(example: Path, run: Run, run_json: RunJson) -> None:
    def change(data: dict[str, Any]) -> None:
        data["crisis"] = {"statement": {"fr": STATEMENT, "en": "An incident is under way."}}
        data["channels"]["twitter"]["language"] = "en"

    change_config(example, change)
    told = run_json(*SIX, "add", "--urgent", "--statement", "--yes", cwd=example)
    assert {post["channel"]: post["text"] for post in told["posts"]} == {
        "facebook": STATEMENT,
        "twitter": "An incident is under way.",
    }


def test_without_a_statement_it_is_said_where_one_is_written(example: Path, run_err: RunErr) -> None:
    error = run_err(2, *SIX, "add", "--urgent", "--statement", "--yes", cwd=example)
    assert "crisis: statement:" in error["hint"]


# --- one text for every channel ---------------------------------------------------------------------------------------


@pytest.mark.row("S115")
def test_one_text_is_valid_on_every_channel_outside_the_quota(example: Path, run: Run, run_json: RunJson) -> None:
    change_config(example, intranet)
    before = run_json("calendar", "gaps", "--week", "2026-W48", cwd=example)
    told = run_json(*SIX, "add", "--urgent", TEXT, "--yes", cwd=example)
    by_channel = {post["channel"]: post for post in told["posts"]}
    assert list(by_channel) == ["intranet", "facebook", "twitter"]  # those inside hear it first
    assert len({post["story"] for post in told["posts"]}) == 1
    assert by_channel["facebook"]["text"] == by_channel["intranet"]["text"] == TEXT
    parts = [message["text"] for message in by_channel["twitter"]["messages"]]
    assert len(parts) > 1
    assert all(len(part) <= 120 for part in parts)
    assert all(part.endswith(f" ({n}/{len(parts)})") for n, part in enumerate(parts, start=1))
    assert " ".join(part.rpartition(" (")[0] for part in parts).split() == TEXT.split()
    assert sum("https://hopital-tilleuls.example/incident" in part for part in parts) == 1
    for post in told["posts"]:
        assert post["urgent"] is True
        assert post["crisis"] is False
        assert post["wall"] == "2026-11-27T18:00"
        assert [finding for finding in post["findings"] if finding["severity"] == "error"] == []
    days = {(day["date"], day["channel"]): day["count"] for day in before["days"]}
    after = run_json("calendar", "gaps", "--week", "2026-W48", cwd=example)["days"]
    assert {(day["date"], day["channel"]): day["count"] for day in after} == days
    run(*SIX, "publish", cwd=example)
    on_twitter = [post.text for post in SandboxPlatform(example).posts("@hop_tilleuls")]
    assert on_twitter[-len(parts) :] == parts


def test_who_gets_it_is_shown_and_asked_about(example: Path, run_err: RunErr, run_json: RunJson) -> None:
    change_config(example, intranet)
    error = run_err(2, *SIX, "add", "--urgent", TEXT, cwd=example)
    assert "intranet, facebook, twitter" in error["hint"]
    code, seen = typed(*SIX, "add", "--urgent", TEXT, keys="n\n", cwd=example)
    assert code == 4
    assert "intranet · people inside · 1 message" in seen
    assert "facebook · public · 1 message" in seen
    assert "Send it to 3 channels now?" in seen
    assert run_json("post", "list", "text:Évacuation", cwd=example)["posts"] == []
    code, seen = typed(*SIX, "add", "--urgent", "-c", "all", "Bref.", keys="y\n", cwd=example)
    assert code == 0, seen
    assert len(run_json("post", "list", "text:Bref", cwd=example)["posts"]) == 3


def test_a_channel_may_be_named_and_closed_ones_get_nothing(example: Path, run_json: RunJson) -> None:
    one = run_json(*SIX, "add", "--urgent", "-c", "fb", "Bref.", "--yes", cwd=example)
    assert one["channel"] == "facebook"
    change_config(example, lambda data: data["channels"]["facebook"].update(state="closed", successor="twitter"))
    other = run_json(*SIX, "add", "--urgent", "Bref encore.", "--yes", cwd=example)
    assert other["channel"] == "twitter"


def test_a_word_that_fits_nowhere_writes_nothing(example: Path, run_err: RunErr, run_json: RunJson) -> None:
    change_config(example, intranet)
    long = "https://hopital-tilleuls.example/" + "a" * 200
    error = run_err(4, *SIX, "add", "--urgent", f"Voir {long}", "--yes", cwd=example)
    assert error["message"].startswith("twitter:")
    assert run_json("post", "list", "text:aaaaaa", cwd=example)["posts"] == []


def test_under_a_hold_only_the_mark_lets_it_pass(example: Path, run: Run, run_err: RunErr, run_json: RunJson) -> None:
    run(*SIX, "stop", cwd=example)
    assert "--crisis" in run_err(4, *SIX, "add", "--urgent", "Bref.", "--yes", cwd=example)["hint"]
    told = run_json(*SIX, "add", "--urgent", "--crisis", "Bref.", "--yes", cwd=example)
    assert {(post["kind"], post["crisis"]) for post in told["posts"]} == {("crisis", True)}
    shown = run("post", "show", told["posts"][0]["id"], cwd=example)
    assert "it passes holds" in shown.out
    assert "scheduled, crisis, urgent" in run("post", "list", told["posts"][0]["id"], cwd=example).out


def test_a_kind_is_no_mark_and_that_is_said(example: Path, run: Run, run_json: RunJson) -> None:
    done = run("add", "-c", "fb", "-k", "crisis", "--at", "2027-01-20 9h17", "Bref.", cwd=example)
    assert "Its kind alone passes no hold" in done.err
    post = run_json("post", "list", "text:Bref", cwd=example)["posts"][0]
    assert post["crisis"] is False
    assert run_json("edit", post["id"], "--crisis", cwd=example)["crisis"] is True
    assert run_json("edit", post["id"], "--no-crisis", cwd=example)["crisis"] is False
    run("undo", cwd=example)
    assert run_json("post", "show", post["id"], cwd=example)["crisis"] is True


def test_planning_under_a_hold_tells_of_it(example: Path, run: Run) -> None:
    run("stop", cwd=example)
    done = run("add", "-c", "fb", "--at", "2027-01-20 9h17", "Bref.", cwd=example)
    assert done.code == 0
    assert "Everything is held since" in done.err


@pytest.mark.parametrize(
    "args",
    [("--urgent",), ("--urgent", "--draft", "x"), ("--urgent", "--text", "a", "b"), ("--statement", "x"),
     ("--internal", "--audience", "staff", "-c", "fb", "x")],
)  # fmt: skip
def test_command_lines_that_mean_two_things(example: Path, run_err: RunErr, args: tuple[str, ...]) -> None:
    assert run_err(2, *SIX, "add", *args, cwd=example)["kind"] == "usage"


# --- for people inside ------------------------------------------------------------------------------------------------


@pytest.mark.row("S35")
def test_what_is_for_staff_cannot_be_planned_in_public(example: Path, run_err: RunErr, run_json: RunJson) -> None:
    change_config(example, intranet)
    before = run_json("post", "list", cwd=example)["posts"]
    words = ("-c", "facebook,intranet", "--at", "2026-12-03 9h17", "Réunion de service.")
    for option in (("--internal",), ("--audience", "staff")):
        error = run_err(4, *SIX, "add", *words, *option, cwd=example)
        assert "facebook" in error["message"]
        assert "intranet" in error["hint"]
    assert run_err(4, *SIX, "edit", "p60", "--audience", "staff", cwd=example)["rule"] == "audience.internal"
    assert run_json("post", "list", cwd=example)["posts"] == before
    made = run_json(*SIX, "add", "-c", "intranet", *words[2:], "--internal", cwd=example)
    assert (made["audiences"], made["findings"]) == (["staff"], [])


@pytest.mark.row("S35")
def test_import_refuses_it_loudly(example: Path, run: Run, run_json: RunJson) -> None:
    table = "channel,date,time,kind,audiences,text\nfacebook,2026-12-03,09:17,announcement,staff,Réunion\n"
    done = run(*SIX, "calendar", "import", "-", "--json", cwd=example, stdin=table.encode())
    assert done.code == 4
    (fault,) = done.json["errors"]
    assert (fault["row"], fault["column"]) == (2, "audiences")
    assert "staff only" in fault["message"]


@pytest.mark.row("S35")
def test_the_gate_stops_what_came_past_the_doors(example: Path, run: Run, run_json: RunJson) -> None:
    """A database that was edited, or a configuration changed since: nothing for staff leaves in public."""
    sql(example, "UPDATE post SET audiences = '[\"staff\"]' WHERE id = 1")
    done = run("--now", "2026-11-23T08:31", "publish", "--json", cwd=example)
    assert [entry["id"] for entry in done.json["held"]] == ["p1"]
    assert "staff only" in done.json["held"][0]["reason"]
    assert SandboxPlatform(example).posts("hopital.tilleuls") == []
    change_config(example, lambda data: data.update(internal_audiences=["students"]))
    sql(example, "UPDATE post SET audiences = '[\"students\"]' WHERE id = 6")
    shown = run_json("post", "show", "p6", cwd=example)
    assert [finding["rule"] for finding in shown["findings"]] == ["audience.internal"]


def test_a_draft_may_wait_and_is_refused_when_it_is_planned(example: Path, run_err: RunErr, run_json: RunJson) -> None:
    made = run_json("add", "-c", "fb", "--internal", "--draft", "Réunion.", cwd=example)
    assert [finding["rule"] for finding in made["findings"]] == ["audience.internal"]
    run_err(4, *SIX, "move", made["id"], "--at", "2026-12-20 9h17", cwd=example)


AUDIENCES = st.lists(st.sampled_from(["public", "families", "staff", "students"]), max_size=4, unique=True)


@pytest.mark.row("S35")
@given(AUDIENCES, AUDIENCES, st.sets(st.sampled_from(["staff", "students"])))
def test_nothing_inside_is_read_outside(audiences: list[str], served: list[str], internal: set[str]) -> None:
    """Refused exactly where everybody it is for is inside and somebody who reads it is not."""
    refused = exposed("channel", audiences, served, internal) is not None
    inside = bool(audiences) and set(audiences) <= internal
    assert refused == (inside and not (served and set(served) <= internal))
    assert is_internal(audiences, internal) == inside


# --- the same words twice ---------------------------------------------------------------------------------------------


def test_the_same_words_are_not_told_twice(example: Path, run: Run, run_err: RunErr, run_json: RunJson) -> None:
    first = [post["id"] for post in run_json(*SIX, "add", "--urgent", "Bref.", "--yes", cwd=example)["posts"]]
    run(*SIX, "publish", cwd=example)
    later = ("--now", "2026-11-27T18:05")
    error = run_err(4, *later, "add", "--urgent", "Bref.", "--yes", cwd=example)
    assert error["posts"] == first
    assert "facebook (published)" in error["message"]
    assert "--again" in error["hint"]
    alone = run_err(4, *later, "add", "--urgent", "-c", "x", "Bref.", "--yes", cwd=example)  # one channel is enough
    assert alone["posts"] == [post for post in first if f"{post} twitter" in error["message"]]
    out = len(SandboxPlatform(example).posts("hopital.tilleuls"))
    assert run_json(*later, "add", "--urgent", "Bref, et clair.", "--yes", cwd=example)
    assert run(*later, "add", "--urgent", "--again", "Bref.", "--yes", cwd=example).code == 0
    run(*later, "publish", cwd=example)
    assert len(SandboxPlatform(example).posts("hopital.tilleuls")) == out + 2


def test_words_of_another_day_and_those_taken_back_may_be_told(example: Path, run: Run, run_json: RunJson) -> None:
    first = run_json(*SIX, "add", "--urgent", "-c", "fb", "Bref.", "--yes", cwd=example)["id"]
    assert run(*SIX, "post", "cancel", first, cwd=example).code == 0
    assert run(*SIX, "add", "--urgent", "-c", "fb", "Bref.", "--yes", cwd=example).code == 0
    assert run("--now", "2026-11-28T18:01", "add", "--urgent", "-c", "fb", "Bref.", "--yes", cwd=example).code == 0


def test_again_is_for_urgent_texts(example: Path, run_err: RunErr) -> None:
    assert run_err(2, *SIX, "add", "--again", "-c", "fb", "x", cwd=example)["kind"] == "usage"


# --- what stands in the way is said -----------------------------------------------------------------------------------


@pytest.fixture
def stopped(example: Path, run: Run) -> Path:
    """Friday at six: facebook rests until half past, twitter is stopped for good."""
    run("publish", "--replay", "2026-11-23T00:00..2026-11-23T12:00", cwd=example)
    rest = "UPDATE account SET paused_at = '2026-11-27 16:00:00', pause_kind = ?, pause_reason = ?, paused_until = ?"
    ends = "2026-11-27 17:30:00"
    sql(example, f"{rest} WHERE handle = 'hopital.tilleuls'", "rate_limit", "too many requests", ends)
    sql(example, f"{rest} WHERE handle = '@hop_tilleuls'", "breaker", "no answer", None)
    return example


FACEBOOK = "facebook is paused until Fri 27/11 18:30: too many requests → cm channel resume facebook"
TWITTER = "twitter is stopped: no answer → cm channel resume twitter"


def test_an_urgent_text_for_a_channel_at_rest_says_so(stopped: Path, run: Run, run_json: RunJson) -> None:
    done = run(*SIX, "add", "--urgent", "Bref.", "--yes", cwd=stopped)
    assert done.code == 0
    assert FACEBOOK in done.err
    assert TWITTER in done.err
    told = run_json(*SIX, "add", "--urgent", "Bref encore.", "--yes", cwd=stopped)
    assert [post["notes"][-1] for post in told["posts"]] == [FACEBOOK, TWITTER]


def test_moves_to_a_channel_at_rest_say_so(stopped: Path, run: Run) -> None:
    soon, later = run(*SIX, "move", "p38", "18h20", cwd=stopped), run(*SIX, "move", "p38", "18h40", cwd=stopped)
    assert (soon.code, later.code) == (0, 0)
    assert FACEBOOK in soon.err
    assert "paused" not in later.err  # it will be over by then
    many = run(*SIX, "move", "channel:twitter", "day:2026-11-28", "--next", "--yes", cwd=stopped)
    assert many.err.count(TWITTER) == 1


def test_retries_on_a_channel_at_rest_or_held_say_so(stopped: Path, run: Run, run_json: RunJson) -> None:
    sql(stopped, "UPDATE post SET state = 'missed', wake_at = NULL WHERE id IN (38, 46)")
    assert FACEBOOK in run(*SIX, "post", "retry", "p38", "--over", "now", cwd=stopped).err
    sql(stopped, "UPDATE post SET state = 'missed', wake_at = NULL WHERE id IN (38, 46)")
    run(*SIX, "hold", "on", "-c", "fb", "--reason", "fire", cwd=stopped)
    many = run(*SIX, "post", "retry", "p38", "p46", "--yes", "--over", "now", cwd=stopped)
    assert f"facebook: held since Fri 27/11 18:00 by {getpass.getuser()}: fire → cm hold off -c facebook" in many.err
