"""`cm config check`: every fault with file, line, field and the mend; the register of official accounts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support_cli import change_config

from cm.config import AUDIENCES

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]

TOKEN = "mt_9f8e7d6c5b4a"


def line_of(root: Path, start: str, *, file: str = "config.yaml", nth: int = 1) -> int:
    """The number of the nth line that begins so, blanks aside."""
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if line.strip().startswith(start)][nth - 1]


def replace(root: Path, before: str, after: str, *, file: str = "config.yaml") -> None:
    """Change the first place where `before` stands."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


CASES = [
    pytest.param(
        "    owner: camille",
        "    ownr: camille",
        "channels.facebook.ownr",
        "ownr:",
        "unknown field",
        "spelling",
        id="unknown-field",
    ),
    pytest.param(
        "    owner: camille",
        "    owner: zoe",
        "channels.facebook.owner",
        "owner: zoe",
        "'zoe' is nobody",
        "answers for",
        id="stranger-as-owner",
    ),
    pytest.param(
        "timezone: Europe/Paris",
        "timezone: Europe/Pris",
        "timezone",
        "timezone:",
        "'Europe/Pris' is not a time zone",
        "Europe/Paris",
        id="time-zone",
    ),
    pytest.param(
        "state: active", "state: asleep", "channels.facebook.state", "state: asleep", "active", "planned", id="state"
    ),
    pytest.param(
        "audiences: [public,",
        "audiences: [everyone,",
        "channels.facebook.audiences",
        "audiences: [everyone",
        "unknown audience 'everyone'",
        "families",
        id="audience",
    ),
    pytest.param(
        "account: hopital.tilleuls",
        "account: ''",
        "channels.facebook.account",
        "account: ''",
        "at least 1 character",
        "",
        id="empty-account",
    ),
    pytest.param(
        "cadence: {min: 3, max: 5,",
        "cadence: {min: 6, max: 5,",
        "cadence",
        "cadence:",
        "min is above max",
        "",
        id="bounds",
    ),
    pytest.param(
        "opened_on: 2011-03-14",
        "opened_on: once",
        "channels.facebook.opened_on",
        "opened_on:",
        "not a day",
        "2026-01-31",
        id="date",
    ),
    pytest.param(
        "roles: [expert]", "roles: [wizard]", "people.yves.roles", "yves:", "unknown role 'wizard'", "expert", id="role"
    ),
    pytest.param(
        "logins: [bastien]",
        "logins: [camille]",
        "people.bastien.logins",
        "bastien:",
        "also 'camille'",
        "one person",
        id="login-twice",
    ),
    pytest.param(
        "adapter: sandbox",
        "adapter: pigeon",
        "channels.facebook.adapter",
        "adapter: pigeon",
        "'pigeon'",
        "sandbox",
        id="unknown-adapter",
    ),
]


@pytest.mark.parametrize(("before", "after", "field", "line", "message", "mend"), CASES)
def test_faults(
    example: Path, run: Run, run_err: RunErr, before: str, after: str, field: str, line: str, message: str, mend: str
) -> None:
    replace(example, before, after)
    error = run_err(3, "config", "check", cwd=example)
    found = next(problem for problem in error["problems"] if problem["field"] == field)
    assert (found["file"], found["line"]) == ("config.yaml", line_of(example, line))
    assert message in found["message"]
    assert mend in found["message"] + found["hint"]
    told = run("config", cwd=example)
    assert (told.code, told.out) == (3, "")
    assert f"config.yaml:{found['line']}: {field}: " in told.err


@pytest.mark.row("S44")
def test_a_channel_nobody_answers_for(example: Path, run_err: RunErr, run: Run) -> None:
    replace(example, "    owner: camille            # the one person accountable for it\n", "")
    (problem,) = run_err(3, "config", "check", cwd=example)["problems"]
    assert (problem["field"], problem["message"]) == ("channels.facebook.owner", "is missing")
    assert problem["line"] == line_of(example, "facebook:")
    assert problem["hint"]
    assert run("publish", cwd=example).code == 3


@pytest.mark.row("S10")
def test_an_account_listed_twice(example: Path, run_err: RunErr) -> None:
    change_config(
        example,
        lambda data: data["channels"].update(
            second={**data["channels"]["twitter"], "account": "HOP_Tilleuls", "owner": "bastien"}
        ),
    )
    (problem,) = run_err(3, "config", "check", cwd=example)["problems"]
    assert problem["field"] == "channels.second.account"
    assert "channel 'twitter'" in problem["message"]
    assert "once" in problem["hint"]


def test_all_faults_at_once(example: Path, run_err: RunErr) -> None:
    replace(example, "timezone: Europe/Paris", "timezone: Mars/Olympus")
    replace(example, "adapter: sandbox", "adaptor: sandbox")
    replace(example, "purpose:", "porpoise:")
    fields = {problem["field"] for problem in run_err(3, "config", "check", cwd=example)["problems"]}
    assert {"timezone", "channels.facebook.adaptor", "channels.facebook.porpoise"} <= fields


def test_a_field_that_stands_twice(example: Path, run_err: RunErr) -> None:
    replace(example, "    state: active", "    state: active\n    state: planned")
    (problem,) = run_err(3, "config", "check", cwd=example)["problems"]
    assert (problem["file"], problem["line"]) == ("config.yaml", line_of(example, "state: planned"))
    assert "twice" in problem["message"]
    assert problem["hint"]


def test_what_is_no_yaml(example: Path, run_err: RunErr) -> None:
    replace(example, "language: fr ", "language: [fr ")
    (problem,) = run_err(3, "config", "check", cwd=example)["problems"]
    assert problem["file"] == "config.yaml"
    assert problem["line"] is not None
    (example / "config.yaml").write_bytes(b"\xff\xfe\x00")
    (problem,) = run_err(3, "config", "check", cwd=example)["problems"]
    assert "UTF-8" in problem["hint"]


@pytest.mark.parametrize("where", ["token", "settings", "unknown"])
def test_a_literal_token_is_refused_and_not_repeated(example: Path, run: Run, where: str) -> None:
    real = {"platform": "mastodon", "adapter": "mastodon", "settings": {"server": "https://mastodon.example"}}

    def change(data: dict[str, Any]) -> None:
        data["channels"]["facebook"].update(real)
        if where == "token":
            data["channels"]["facebook"]["token"] = TOKEN
        elif where == "settings":
            data["channels"]["facebook"]["settings"]["token"] = TOKEN
        else:
            data["channels"]["facebook"]["access_token"] = TOKEN

    change_config(example, change)
    for command in (("config", "check"), ("config", "check", "--json"), ("publish",)):
        done = run(*command, cwd=example)
        if command == ("publish",) and where == "settings":
            continue  # nothing is due: the adapter is not built
        assert done.code == 3
        assert TOKEN not in done.out + done.err
    told = run("config", cwd=example).err
    assert f"config.yaml:{line_of(example, 'token' if where != 'unknown' else 'access_token')}" in told
    assert "env:NAME" in told or "unknown field" in told
    log = example / ".cm" / "log" / "cm.jsonl"
    assert not log.exists() or TOKEN not in log.read_text(encoding="utf-8")


def test_an_adapter_s_own_settings(example: Path, run_err: RunErr) -> None:
    real = {
        "platform": "mastodon",
        "adapter": "mastodon",
        "token": "env:CM_T",
        "settings": {"servr": "https://m.example"},
    }
    change_config(example, lambda data: data["channels"]["facebook"].update(real))
    problems = run_err(3, "config", "check", cwd=example)["problems"]
    assert {"channels.facebook.settings.servr", "channels.facebook.settings.server"} == {
        one["field"] for one in problems
    }
    assert all(one["line"] for one in problems)


def test_faults_of_a_schedule(example: Path, run_err: RunErr) -> None:
    replace(example, "times", "tymes", file="schedules/twitter.yaml")
    (example / "schedules" / "linkedin.yaml").write_text("slots: []\n", encoding="utf-8")
    problems = run_err(3, "config", "check", cwd=example)["problems"]
    assert {problem["file"] for problem in problems} == {"schedules/twitter.yaml", "schedules/linkedin.yaml"}
    stray = next(problem for problem in problems if problem["file"] == "schedules/linkedin.yaml")
    assert "facebook, twitter" in stray["hint"]


def test_the_schema_describes_every_field(example: Path, run_json: RunJson) -> None:
    schema = run_json("config", "schema", cwd=example)
    channel = schema["config.yaml"]["$defs"]["Channel"]["properties"]
    assert all(field.get("description") and field.get("examples") for field in channel.values())


# --- the register -----------------------------------------------------------------------------------------------------

PROPERTIES = {
    "facebook": ("facebook", "hopital.tilleuls", "2011-03-14"),
    "x": ("x", "@hop_tilleuls", "2012-01-09"),
    "youtube": ("youtube", "@HopitalTilleuls", "2013-05-02"),
    "site": ("website", "www.hopital-tilleuls.example", "2004-09-01"),
    "forum": ("forum", "parents.hopital-tilleuls.example", "2019-11-20"),
}


@pytest.mark.row("S10")
def test_official_properties_are_registered_once(example: Path, run: Run, run_json: RunJson, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["channels"] = {
            name: {
                "platform": platform, "adapter": "outbox", "account": account, "address": f"https://{name}.example/",
                "owner": "camille", "purpose": "Parler au public", "opened_on": opened, "audiences": ["public"],
            }
            for name, (platform, account, opened) in PROPERTIES.items()
        }  # fmt: skip

    change_config(example, change)
    (example / "schedules" / "twitter.yaml").unlink()
    assert run("config", "check", cwd=example).code == 0
    channels = run_json("channel", "list", cwd=example)["channels"]
    assert [(one["name"], one["platform"], one["account"], one["opened_on"]) for one in channels] == [
        (name, *facts) for name, facts in PROPERTIES.items()
    ]
    assert all((one["owner"], one["owner_name"]) == ("camille", "Camille Roux") for one in channels)
    shown = run("channel", cwd=example)
    assert all(name in shown.out for name in PROPERTIES)
    assert "5 channels." in shown.err
    change_config(
        example, lambda data: data["channels"].update(again={**data["channels"]["youtube"], "owner": "helene"})
    )
    assert run("config", "check", cwd=example).code == 3


@pytest.mark.row("S48")
def test_the_catalogue_of_audiences(tmp_path: Path, run: Run, run_json: RunJson) -> None:
    """It is there in an empty workspace, and can be added to."""
    assert len(AUDIENCES) == 9
    assert run("init", str(tmp_path / "mine"), "--empty").code == 0

    def change(data: dict[str, Any]) -> None:
        data["people"] = {"jo": {"name": "Jo Martin"}}
        data["audiences"] = {"donors": "Blood donors"}
        data["channels"] = {
            "page": {
                "platform": "facebook", "adapter": "sandbox", "account": "page", "address": "https://page.example",
                "owner": "jo", "purpose": "All", "opened_on": "2026-01-01", "audiences": [*AUDIENCES, "donors"],
            }
        }  # fmt: skip

    change_config(tmp_path / "mine", change)
    assert run("config", "check", cwd=tmp_path / "mine").code == 0
    (channel,) = run_json("channel", "list", cwd=tmp_path / "mine")["channels"]
    assert channel["audiences"] == [
        "public", "families", "teenagers", "associations", "professionals", "institutions", "researchers", "students",
        "staff", "donors",
    ]  # fmt: skip
    refused = run("post", "list", "--audience", "everyone", cwd=tmp_path / "mine")
    assert refused.code == 2
    assert all(key in refused.err for key in AUDIENCES)
