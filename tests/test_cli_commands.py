"""Every command: what it prints for programs, how it fails, who acted."""

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from sqlmodel import select
from support_cli import change_config, make_due, sql, use_outbox

from cm.__main__ import main
from cm.actions import first_break
from cm.model.tables import Action
from cm.store.engine import Store
from cm.store.tick import SCHEMA_VERSION

NOW = ("--now", "2026-11-20T12:00")
POST_KEYS = {
    "id", "ref", "story", "channel", "audiences", "kind", "theme", "state", "scheduled_at", "text", "link", "messages",
    "findings",
}  # fmt: skip
WEEK_KEYS = {"week", "from", "to", "cut_off", "channels", "audiences", "top_posts", "inbox", "moderation", "missing"}
WEEK_CHANNEL_KEYS = {
    "channel", "audiences", "planned", "published", "quota_days_met", "reach", "impressions", "engagements",
    "engagement_rate", "followers",
}  # fmt: skip
ENTRY_KEYS = {"id", "ref", "channel", "remote_id", "permalink", "reason"}
LISTS = ("published", "handed", "failed", "unconfirmed", "missed", "deferred", "held")

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]


def add(run_json: RunJson, root: Path, *args: str, text: str = "Bonjour") -> dict[str, Any]:
    """Plan a post on the example's facebook."""
    given = ("--channel", "facebook", "--kind", "conversation", "--text", text, *args)
    made: dict[str, Any] = run_json(*NOW, "post", "add", *given, cwd=root)
    return made


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_post_list(example: Path, run_json: RunJson) -> None:
    posts = run_json("post", "list", cwd=example)["posts"]
    assert len(posts) == 110
    assert all(post.keys() >= POST_KEYS for post in posts)
    assert posts[1]["scheduled_at"] == "2026-11-23T08:30:00+01:00"
    assert posts[1]["messages"][0] == {"n": 1, "role": "part", "text": posts[1]["messages"][0]["text"], "receipt": None}
    thread = next(post for post in posts if len(post["messages"]) > 2)
    assert [message["n"] for message in thread["messages"]] == list(range(1, len(thread["messages"]) + 1))


@pytest.mark.row("S2")
def test_posts_by_audience(example: Path, run_json: RunJson) -> None:
    posts = run_json("post", "list", "--audience", "students", cwd=example)["posts"]
    assert posts
    assert all("students" in post["audiences"] for post in posts)
    assert {post["channel"] for post in posts} == {"twitter"}
    families = run_json("post", "list", "--audience", "families", "--channel", "facebook", cwd=example)["posts"]
    assert 0 < len(families) < 55


@pytest.mark.row("S2")
def test_an_audience_that_the_channel_lacks_is_reported(example: Path, run_json: RunJson) -> None:
    made = add(run_json, example, "--audience", "researchers", "--at", "2026-11-28T20:00")
    assert [finding["rule"] for finding in made["findings"]] == ["audience.not_served"]


@pytest.mark.row("S2")
def test_the_report_counts_posts_by_audience(example: Path, run_json: RunJson) -> None:
    audiences = {one["audience"]: one for one in run_json("report", "2026-W48", cwd=example)["audiences"]}
    listed = run_json("post", "list", "--week", "2026-W48", "--audience", "public", cwd=example)["posts"]
    assert audiences["public"]["planned"] == len(listed)


@pytest.mark.row("S3")
def test_a_story_is_told_differently(example: Path, run_json: RunJson, run: Run) -> None:
    story = run_json("story", "semaine-vaccination", cwd=example)
    assert {post["channel"] for post in story["posts"]} == {"facebook", "twitter"}
    assert len({post["text"] for post in story["posts"]}) == len(story["posts"])
    assert not any(post["findings"] for post in story["posts"])
    shown = run("story", "show", "semaine-vaccination", cwd=example).out
    assert all(post["id"] in shown for post in story["posts"])


@pytest.mark.row("S3")
def test_the_same_words_for_two_audiences_are_flagged(example: Path, run_json: RunJson, run: Run) -> None:
    words = "Les mêmes mots pour tous."
    add(run_json, example, "--story", "memes-mots", "--at", "2026-11-28T20:00", text=words)
    other = ("--channel", "twitter", "--kind", "conversation", "--story", "memes-mots", "--at", "2026-11-28T21:00")
    run_json(*NOW, "post", "add", *other, "--text", words, cwd=example)
    story = run_json("story", "memes-mots", cwd=example)
    assert [finding["rule"] for post in story["posts"] for finding in post["findings"]] == ["text.twin", "text.twin"]
    assert run("story", "memes-mots", cwd=example).out.count("text.twin") == 1


def test_the_life_of_a_post(example: Path, run_json: RunJson) -> None:
    made = add(run_json, example, "--ref", "mien", "--at", "2026-11-28T20:00", "--theme", "vie")
    assert (made["ref"], made["state"], made["scheduled_at"]) == ("mien", "scheduled", "2026-11-28T20:00:00+01:00")
    assert made.keys() >= POST_KEYS
    assert run_json("post", "show", "mien", cwd=example) == run_json("post", made["id"], cwd=example)
    edited = run_json(*NOW, "post", "edit", "mien", "--text", "Bonsoir", "--theme", "", "--ref", "tien", cwd=example)
    assert (edited["text"], edited["theme"], edited["ref"]) == ("Bonsoir", None, "tien")
    moved = run_json(*NOW, "post", "move", "tien", "--at", "2026-11-29T20:00", cwd=example)
    assert moved["scheduled_at"] == "2026-11-29T20:00:00+01:00"
    slot = run_json(*NOW, "post", "move", "tien", "--next", cwd=example)
    assert slot["notes"][0].startswith("Next open slot of facebook")
    assert run_json(*NOW, "post", "cancel", "tien", "--why", "doublon", cwd=example)["state"] == "cancelled"


def test_a_full_day_needs_a_reason(example: Path, run_json: RunJson, run_err: RunErr) -> None:
    given = ("post", "add", "--channel", "facebook", "--kind", "thanks", "--text", "Merci", "--at", "2026-11-23T21:00")
    refused = run_err(4, *NOW, *given, cwd=example)
    assert refused["kind"] == "refused"
    assert "--over" in refused["message"] + refused["hint"]
    assert run_json(*NOW, *given, "--over", "visite", cwd=example)["over_reason"] == "visite"
    days = run_json("calendar", "gaps", "--week", "2026-W48", cwd=example)["days"]
    assert [(day["date"], day["count"], day["status"]) for day in days if day["status"] != "ok"] == [
        ("2026-11-23", 6, "over")
    ]


def test_handed_posts_are_confirmed(example: Path, run_json: RunJson, run_err: RunErr, run: Run) -> None:
    use_outbox(example)
    sql(example, "UPDATE post SET example = 0")
    make_due(example, where="id IN (1, 2)")
    done = run("publish", "--json", cwd=example)
    assert done.code == 0
    assert [entry["id"] for entry in done.json["handed"]] == ["p1", "p2"]
    url = "https://www.facebook.com/hopital.tilleuls.example/posts/1001"
    confirmed = run_json("post", "confirm", "p1", "--url", url, cwd=example)
    assert confirmed["state"] == "published"
    assert confirmed["messages"][0]["receipt"]["permalink"] == url
    assert run_json("post", "confirm", "p2", "--not-published", cwd=example)["state"] == "scheduled"
    assert run_err(4, "post", "confirm", "p1", "--not-published", cwd=example)["kind"] == "refused"


def test_calendar_in_json(example: Path, run_json: RunJson, tmp_path: Path) -> None:
    week = run_json("calendar", "show", "--week", "2026-W48", "--channel", "facebook", cwd=example)
    assert week["week"] == "2026-W48"
    assert len(week["posts"]) == 27
    gaps = run_json("calendar", "gaps", "--from", "2026-11-28", "--to", "2026-12-01", cwd=example)["days"]
    assert len(gaps) == 8
    assert gaps[0].keys() == {"date", "channel", "count", "min", "max", "status", "holiday"}
    file = tmp_path / "out.csv"
    assert run_json("calendar", "export", str(file), cwd=example) == {"file": str(file), "bytes": file.stat().st_size}
    assert run_json("calendar", "export", cwd=example)["csv"].encode() == file.read_bytes()


def test_registers_in_json(example: Path, run_json: RunJson) -> None:
    channels = run_json("channel", "list", cwd=example)["channels"]
    assert [channel["name"] for channel in channels] == ["facebook", "twitter"]
    assert run_json("channel", "show", "twitter", cwd=example) == channels[1]
    assert run_json("channel", "check", "twitter", cwd=example)["channel"] == "twitter"
    assert len(run_json("story", "list", cwd=example)["stories"]) == 73
    assert run_json("config", "check", cwd=example) == {"problems": []}
    assert "config.yaml" in run_json("config", "schema", cwd=example)
    assert run_json("db", "upgrade", cwd=example) == {"from": SCHEMA_VERSION, "to": SCHEMA_VERSION}


def test_publish_and_metrics_and_report_in_json(example: Path, run_json: RunJson) -> None:
    done = run_json("--now", "2026-11-23T08:31", "publish", cwd=example)
    assert set(LISTS) <= done.keys()
    assert [entry["id"] for entry in done["published"]] == ["p6", "p1"] or len(done["published"]) == 2
    assert all(entry.keys() == ENTRY_KEYS for entry in done["published"])
    collected = run_json("--now", "2026-11-24T08:00", "metrics", "collect", cwd=example)
    assert {line["channel"]: line["posts"] for line in collected["channels"]} == {"facebook": 1, "twitter": 1}
    report = run_json("--now", "2026-11-30T09:00", "report", "week", cwd=example)
    assert report["week"] == "2026-W48"
    assert report.keys() >= WEEK_KEYS
    assert (report["inbox"], report["moderation"]) == (None, None)
    assert all(channel.keys() >= WEEK_CHANNEL_KEYS for channel in report["channels"])
    rates = report["channels"][0]["engagement_rate"]
    assert all(rate.keys() == {"pooled", "mean", "median", "n"} for rate in rates.values())


def test_json_holds_nothing_a_terminal_obeys(example: Path, run: Run, run_json: RunJson) -> None:
    text = "a\u202eb\u009bc\u200bd\x1b[31m👩‍👩‍👧 é"
    add(run_json, example, "--ref", "hostile", "--at", "2026-11-28T20:00")
    sql(example, "UPDATE post SET text = ? WHERE ref = 'hostile'", text)
    done = run("post", "show", "hostile", "--json", cwd=example)
    assert done.json["text"] == text
    assert not set("\u202e\u009b\u200b\x1b") & set(done.out)
    assert "👩‍👩‍👧 é" in done.out


# --- failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "args"),
    [
        (2, "usage", ("nope",)),
        (2, "usage", ("post", "list", "--nope")),
        (2, "usage", ("post", "add")),
        (2, "usage", ("post", "list", "--state", "perhaps")),
        (2, "usage", ("post", "list", "--week", "2026-W60")),
        (2, "usage", ("post", "edit", "p1")),
        (2, "usage", ("post", "move", "p1")),
        (2, "usage", ("post", "move", "p1", "--at", "tomorrow")),
        (2, "usage", ("post", "confirm", "p1")),
        (2, "usage", ("post", "takedown", "p1", "--motive", "boredom")),
        (2, "usage", ("post", "correct", "p1")),
        (2, "usage", ("calendar", "gaps", "--from", "someday")),
        (2, "usage", ("calendar", "export", "week:next")),
        (2, "usage", ("add", "-c", "", "Des mots précieux")),
        (2, "usage", ("calendar", "import", "absent.csv")),
        (2, "usage", ("publish", "--replay", "2026-11-23")),
        (2, "usage", ("--now", "soon", "post", "list")),
        (2, "usage", ("--as", "nobody", "post", "list")),
        (2, "usage", ("report", "nonsense")),
        (4, "refused", ("post", "confirm", "p1", "--not-published")),
        (4, "refused", ("post", "takedown", "p1", "--motive", "error", "--yes")),
        (4, "refused", ("post", "correct", "p1", "--text", "Bonjour", "--yes")),
        (4, "refused", ("post", "retry", "p1")),
        (2, "usage", ("--now", "2026-11-20T12:00", "post", "move", "p1", "--at", "2020-01-01T09:00")),
        (5, "not_found", ("post", "p9999")),
        (5, "not_found", ("post", "show", "no-such-ref")),
        (5, "not_found", ("post", "cancel", "p9999")),
        (5, "not_found", ("post", "retry", "p9999")),
        (5, "not_found", ("post", "confirm", "p1#9", "--gone", "--motive", "error")),
        (5, "not_found", ("post", "takedown", "p9999", "--motive", "error")),
        (5, "not_found", ("post", "correct", "p9999", "--text", "Bonjour")),
        (5, "not_found", ("story", "no-such-story")),
        (5, "not_found", ("channel", "nowhere")),
        (5, "not_found", ("channel", "check", "nowhere")),
        (5, "not_found", ("post", "list", "--channel", "nowhere")),
        (5, "not_found", ("metrics", "collect", "--channel", "nowhere")),
    ],
)
def test_errors(example: Path, run: Run, run_err: RunErr, code: int, kind: str, args: tuple[str, ...]) -> None:
    error = run_err(code, *args, cwd=example)
    assert error["kind"] == kind
    assert error["message"]
    told = run(*args, cwd=example)
    assert (told.code, told.out) == (code, "")
    assert error["message"] in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("args", [("post", "p9999"), ("story", "x"), ("channel", "x"), ("post", "list", "-c", "x")])
def test_what_is_not_found_has_a_hint(example: Path, run: Run, args: tuple[str, ...]) -> None:
    assert "\n→ " in run(*args, cwd=example).err


def test_no_workspace(tmp_path: Path, run_err: RunErr) -> None:
    error = run_err(3, "post", "list", cwd=tmp_path)
    assert error["kind"] == "workspace"
    assert "cm init" in error["hint"]
    assert run_err(3, "-C", str(tmp_path / "absent"), "publish", cwd=tmp_path)["kind"] == "workspace"


def test_an_unreachable_platform(example: Path, run_err: RunErr, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    mastodon = {"adapter": "mastodon", "settings": {"server": "http://127.0.0.1:9"}, "token": "env:CM_TEST_TOKEN"}
    change_config(example, lambda data: data["channels"]["facebook"].update(mastodon, platform="mastodon"))
    monkeypatch.setenv("CM_TEST_TOKEN", "s3cr3t-t0ken")
    assert run_err(6, "channel", "check", "facebook", cwd=example)["kind"] == "network"
    told = run("metrics", "collect", cwd=example)
    assert told.code == 6
    assert "twitter" in told.out
    assert "facebook" in told.err
    assert "s3cr3t" not in told.out + told.err


def test_a_channel_that_cannot_be_spoken_to(example: Path, run: Run, run_err: RunErr) -> None:
    change_config(example, lambda data: data["channels"]["facebook"].update(adapter="carrier-pigeon"))
    assert "carrier-pigeon" in run_err(3, "channel", "check", "facebook", cwd=example)["message"]
    told = run("metrics", "collect", cwd=example)
    assert told.code == 3
    assert "twitter" in told.out
    assert "carrier-pigeon" in told.err
    make_due(example, where="id = 1")
    due = run("publish", "--json", cwd=example)
    assert due.code == 3
    assert "carrier-pigeon" in due.json["errors"][0]["message"]


def test_missed_posts_need_a_person(example: Path, run: Run) -> None:
    make_due(example, minutes_ago=90, where="id = 1")
    done = run("publish", "--quiet", cwd=example)
    assert (done.code, done.out) == (7, "")
    assert done.err.startswith("missed")
    assert run("publish", "--quiet", cwd=example) == type(done)(0, "", "")


def test_trouble_of_the_database_is_no_bug(example: Path, run_err: RunErr) -> None:
    sql(example, "DROP TABLE story")  # stands for a disk that is full, a file that is read-only, a lock that stays
    error = run_err(3, "story", "list", cwd=example)
    assert (error["kind"], "no such table" in error["message"]) == ("workspace", True)
    (example / "cm.db").unlink()
    assert "cm init" in run_err(3, "post", "list", cwd=example)["hint"]


def test_a_database_in_use_will_be_tried_again(example: Path, run_err: RunErr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cm.store.engine.BUSY_TIMEOUT_MS", 10)
    holder = sqlite3.connect(example / "cm.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert run_err(6, *NOW, "post", "cancel", "p1", cwd=example)["kind"] == "busy"
    holder.close()


def test_a_reader_that_leaves(example: Path) -> None:
    cm = f"{sys.executable} -m cm -C {example}"
    for line in (f"{cm} post list --json | head -c 1", f"{cm} post list | true", f"{cm} --help | true"):
        script = f"{line}; echo ${{PIPESTATUS[0]}} >&2"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr.splitlines()[-1] == "0"
        assert "Error" not in done.stderr


class Interrupted(io.BytesIO):
    """Standard input at which the person presses Ctrl-C."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise KeyboardInterrupt


def test_ctrl_c(example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["-C", str(example), "post", "add", "-c", "facebook", "--kind", "thanks", "--text", "-"]
    monkeypatch.setattr(sys, "argv", ["cm", *args])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted()))
    assert main() == 130
    assert "Traceback" not in capsys.readouterr().err


# --- texts from files and pipes ---------------------------------------------------------------------------------------


def test_text_from_standard_input(example: Path, run_json: RunJson, tmp_path: Path) -> None:
    words = "Deux lignes :\nla seconde 🌳"
    piped = f"{words}\n".encode()
    file = tmp_path / "text.txt"
    file.write_bytes(b"\xef\xbb\xbf" + piped)
    base = (*NOW, "post", "add", "--channel", "facebook", "--kind", "thanks", "--draft")
    assert run_json(*base, "--text", "-", cwd=example, stdin=piped)["text"] == words
    assert run_json(*base, "-F", "-", cwd=example, stdin=piped)["text"] == words
    made = run_json(*base, "-F", str(file), cwd=example)
    assert made["text"] == words
    assert run_json(*NOW, "post", "edit", made["id"], "-F", "-", cwd=example, stdin=b"Autre")["text"] == "Autre"


def test_texts_that_are_refused(example: Path, run_err: RunErr, tmp_path: Path) -> None:
    base = ("post", "add", "--channel", "facebook", "--kind", "thanks", "--draft")
    assert "text" in run_err(2, *base, cwd=example)["message"]
    assert "not both" in run_err(2, *base, "--text", "a", "-F", "b", cwd=example)["message"]
    assert "UTF-8" in run_err(2, *base, "-F", "-", cwd=example, stdin=b"caf\xe9")["message"]
    assert "NUL" in run_err(2, *base, "-F", "-", cwd=example, stdin=b"a\0b")["message"]
    assert "absent" in run_err(2, *base, "-F", str(tmp_path / "absent"), cwd=example)["message"]
    assert run_err(2, *base, "--text", "a", "--field", "place", cwd=example)["hint"]


# --- nouns ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bare", "full"),
    [
        (("post",), ("post", "list")),
        (("channel",), ("channel", "list")),
        (("story",), ("story", "list")),
        (("calendar",), ("calendar", "show")),
        (("report",), ("report", "week")),
        (("config",), ("config", "check")),
        (("post", "p1"), ("post", "show", "p1")),
        (("post", "fb-d00-a"), ("post", "show", "p1")),
        (("channel", "facebook"), ("channel", "show", "facebook")),
        (("story", "semaine-vaccination"), ("story", "show", "semaine-vaccination")),
        (("report", "2026-W48"), ("report", "week", "--week", "2026-W48")),
        (("post", "--channel", "twitter"), ("post", "list", "--channel", "twitter")),
        (("calendar", "--week", "2026-W48"), ("calendar", "show", "--week", "2026-W48")),
    ],
)
def test_short_forms(example: Path, run: Run, bare: tuple[str, ...], full: tuple[str, ...]) -> None:
    now = ("--now", "2026-11-25T12:00")
    done = run(*now, *bare, cwd=example)
    assert done.code == 0
    assert done.out + done.err
    assert done == run(*now, *full, cwd=example)


@pytest.mark.parametrize("noun", ["db", "metrics"])
def test_nouns_that_list_nothing_help(tmp_path: Path, run: Run, noun: str) -> None:
    done = run(noun, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: cm {noun}")


VERBS = {
    "post": {
        "add",
        "list",
        "show",
        "edit",
        "move",
        "cancel",
        "retry",
        "confirm",
        "takedown",
        "correct",
        "preview",
        "check",
    },
    "calendar": {"show", "gaps", "import", "export"},
    "story": {"list", "show"},
    "channel": {"list", "show", "check", "login", "logout", "resume", "platforms"},
    "hold": {"on", "off", "status"},
    "audit": {"list", "export", "verify"},
    "metrics": {"collect", "import", "show"},
    "report": {"week"},
    "config": {"check", "schema", "trust"},
    "db": {"upgrade", "reconcile", "adopt"},
}


@pytest.mark.parametrize(("noun", "verbs"), VERBS.items())
def test_help_lists_every_verb(tmp_path: Path, run: Run, noun: str, verbs: set[str]) -> None:
    done = run(noun, "-h", cwd=tmp_path)
    assert done.code == 0
    listed = {line.split()[0] for line in done.out.split("Commands:\n")[1].splitlines() if line.strip()}
    assert verbs <= listed
    for verb in verbs:
        assert "--json" in run(noun, verb, "--help", cwd=tmp_path).out


def test_help_fits_80_columns(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(cwd=tmp_path)
    assert done.out == run("--help", cwd=tmp_path).out
    assert done.code == 0
    assert "..." not in done.out.split("Commands:")[1]
    assert max(map(len, done.out.splitlines())) <= 80


# --- who acted --------------------------------------------------------------------------------------------------------


def log(root: Path) -> list[Action]:
    store = Store(root)
    with store.read() as session:
        rows = list(session.exec(select(Action).order_by(Action.id)))
    store.close()
    return rows


def test_the_actor(
    example: Path, run: Run, run_json: RunJson, run_err: RunErr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "unheard-of")
    monkeypatch.delenv("SUDO_USER", raising=False)
    add(run_json, example, "--draft")
    monkeypatch.setenv("LOGNAME", "bastien")
    add(run_json, example, "--draft")
    monkeypatch.setenv("CM_ACTOR", "helene")
    made = add(run_json, example, "--draft")
    assert run("--as", "camille", *NOW, "post", "cancel", made["id"], cwd=example).code == 0
    acts = [(row.verb, row.actor, row.os_user) for row in log(example)][-4:]
    assert acts == [
        ("post.add", "unheard-of", "unheard-of"),
        ("post.add", "bastien", "bastien"),
        ("post.add", "helene", "bastien"),
        ("post.cancel", "camille", "bastien"),
    ]
    assert "camille" in run_err(2, "--as", "personne", "post", "list", cwd=example)["hint"]
    monkeypatch.setenv("CM_ACTOR", "personne")
    assert run_err(2, "post", "list", cwd=example)["kind"] == "usage"


def test_the_action_log_holds(example: Path, run: Run, run_json: RunJson) -> None:
    made = add(run_json, example, "--at", "2026-11-28T20:00")
    run(*NOW, "post", "edit", made["id"], "--text", "Un secret médical", cwd=example)
    run(*NOW, "post", "move", made["id"], "--next", cwd=example)
    run("publish", "--replay", "2026-11-23..2026-11-24", cwd=example)
    run(*NOW, "post", "cancel", made["id"], cwd=example)
    rows = log(example)
    assert len(rows) >= 5
    assert first_break(rows) is None
    assert "Un secret médical" not in json.dumps([row.model_dump(mode="json") for row in rows], ensure_ascii=False)


# --- a dead cron ------------------------------------------------------------------------------------------------------


def test_a_dead_cron_is_told(example: Path, run: Run) -> None:
    assert "cron" not in run("post", "list", cwd=example).err
    use_outbox(example)
    never = run("post", "list", "--week", "2026-W48", cwd=example)
    assert never.err.count("cron has not run") == 1
    assert "schedules/system/crontab" in never.err
    assert run("post", "list", "--json", cwd=example).err == ""
    assert "cron" not in run("publish", cwd=example).err
    assert "cron" not in run("post", "list", cwd=example).err
    beat = example / ".cm" / "heartbeat"
    long_ago = beat.stat().st_mtime - 3600
    os.utime(beat, (long_ago, long_ago))
    assert "cron has not run since 20" in run("channel", cwd=example).err
    sql(example, "UPDATE post SET state = 'cancelled', wake_at = NULL WHERE channel = 'facebook'")
    assert "cron" not in run("channel", cwd=example).err


def test_the_same_words_twice_on_a_channel_are_told(example: Path, run: Run) -> None:
    words = ("add", "-c", "fb", "Bonjour à tous", "--json", "--at")
    first = run("--now", "2026-11-23T09:00", *words, "2026-12-08T09:00", cwd=example)
    again = run("--now", "2026-11-23T09:00", *words, "2026-12-09T09:00", cwd=example)
    assert first.json["notes"] == []
    assert again.json["notes"] == [f"{first.json['id']} on facebook has the very same text."]


def test_a_phrase_that_is_nowhere_says_so(example: Path, run: Run) -> None:
    done = run("find", "hall vaccination", cwd=example)
    assert (done.code, done.out) == (0, "")
    assert "leave the quotes out" in done.err
