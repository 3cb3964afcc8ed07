"""What people write in config.yaml and schedules/, and what they are told when it is wrong."""

import json
from datetime import date, time
from pathlib import Path

import jsonschema
import pytest
import yaml

from cm import config as configuration
from cm.clock import SystemClock
from cm.errors import ConfigError, UsageError, WorkspaceError
from cm.logs import redact
from cm.people import current
from cm.secrets import reveal
from cm.workspace import build_adapter, check_config

ROOT = Path(__file__).resolve().parents[1]
GOOD = """\
establishment: {key: t, name: Test}
people:
  jo: {name: Jo, logins: [jo]}
channels:
  fb:
    platform: facebook
    adapter: sandbox
    account: page
    address: https://example.org
    owner: jo
    purpose: tests
    opened_on: 2020-01-01
    audiences: [public]
"""


def problems(root: Path, text: str, **schedules: str) -> list[str]:
    (root / "config.yaml").write_text(text, encoding="utf-8")
    (root / "schedules").mkdir(exist_ok=True)
    for name, content in schedules.items():
        (root / "schedules" / f"{name}.yaml").write_text(content, encoding="utf-8")
    return [str(problem) for problem in check_config(root)]


def test_a_sound_configuration(tmp_path):
    assert problems(tmp_path, GOOD, fb="slots:\n  - {times: [12:30, '08:30', 9:05]}\n") == []
    slots = configuration.load(tmp_path).schedule_of("fb").times(date(2026, 11, 23))
    assert slots == [time(8, 30), time(9, 5), time(12, 30)], "an unquoted 12:30 is a time, whatever YAML makes of it"


def test_the_repositorys_own_example_is_sound():
    assert check_config(ROOT) == []


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("purpose: tests", "purpose: tests\n    porpoise: x"), 12, "porpoise: unknown field"),
        (("    owner: jo\n", ""), 5, "owner: is missing"),
        (("owner: jo", "owner: ann"), 10, "nobody"),
        (("audiences: [public]", "audiences: [publik]"), 13, "publik"),
        (("adapter: sandbox", "adapter: carrier-pigeon"), 7, "carrier-pigeon"),
        (("establishment:", "timezone: Europe/Pari\nestablishment:"), 1, "time zone"),
        (("establishment:", "cadence: {min: 6, max: 5}\nestablishment:"), 1, "min is above max"),
        (("establishment:", "establishment: {key: u, name: U}\nestablishment:"), 2, "stands twice"),
        (("opened_on: 2020-01-01", "opened_on: 2020-13-01"), 12, "opened_on"),
        (("audiences: [public]", "audiences: [public]\n    settings: {folowers: 3}"), 14, "folowers: unknown field"),
        (("audiences: [public]", "audiences: [public"), None, "not valid YAML"),
        (("logins: [jo]", "roles: [king]"), 3, "unknown role"),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_mend(tmp_path, change, line, says):
    found = problems(tmp_path, GOOD.replace(*change))
    assert len(found) == 1, found
    assert says in found[0]
    if line:
        assert found[0].startswith(f"config.yaml:{line}:")


def test_a_literal_token_is_refused_and_not_repeated(tmp_path):
    found = problems(tmp_path, GOOD + "    token: s3cr3t-value\n")
    assert len(found) == 1
    assert "env:NAME" in found[0]
    assert "s3cr3t" not in found[0]


@pytest.mark.parametrize("value", ["*s3cr3t", "!s3cr3t", "'s3cr3t'", "{s3cr3t: 1}"])
def test_whatever_a_person_puts_there_is_not_repeated(tmp_path, value):
    found = problems(tmp_path, GOOD + f"    token: {value}\n")
    assert len(found) == 1
    assert "s3cr3t" not in found[0]


def test_an_alias_to_itself_and_many_of_them_are_told(tmp_path):
    assert problems(tmp_path, "a: &x [*x]\n" + GOOD)
    many = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(12))
    assert len(problems(tmp_path, many + "\n" + GOOD)) == 12


@pytest.mark.parametrize("slot", ["24:00", "25:30", "930", "1930", "9", "12.5", "'8h30'", "'08:60'", "09:00:00"])
def test_a_slot_that_is_no_time_is_refused_never_guessed(tmp_path, slot):
    found = problems(tmp_path, GOOD, fb=f"slots:\n  - {{times: [{slot}]}}\n")
    assert len(found) == 1
    assert "08:30" in found[0]


def test_two_channels_that_are_one_account_there(tmp_path):
    toot = """
  {name}:
    platform: mastodon
    account: "{account}"
    settings: {{server: "{server}"}}
    address: https://a.example
    owner: jo
    purpose: tests
    opened_on: 2020-01-01
    audiences: [public]
"""

    def two(*accounts):
        return GOOD + "".join(toot.format(name=f"m{n}", account=a, server=s) for n, (a, s) in enumerate(accounts))

    elsewhere = two(("chu", "https://a.example"), ("chu", "https://b.example"))
    assert problems(tmp_path, elsewhere) == [], "the same name on two servers is two accounts"
    assert (
        "same account"
        in problems(tmp_path, two(("chu", "https://a.example"), ("@chu@a.example", "https://a.example")))[0]
    )


def test_faults_of_both_kinds_of_file_come_together(tmp_path):
    found = problems(
        tmp_path, GOOD.replace("owner: jo", "owner: ann"), fb="slots:\n - {days: [mond], times: ['9:00']}\n", x="{}\n"
    )
    assert sorted({text.split(":")[0] for text in found}) == ["config.yaml", "schedules/fb.yaml", "schedules/x.yaml"]


@pytest.mark.row("S10")
def test_an_account_is_listed_once(tmp_path):
    channel = GOOD[GOOD.index("  fb:") :].replace("  fb:", "  again:").replace("account: page", "account: '@PAGE'")
    assert "same facebook account as channel 'fb'" in problems(tmp_path, GOOD + channel)[0]


@pytest.mark.row("S48")
def test_the_shipped_catalogue_of_audiences(tmp_path):
    problems(tmp_path, GOOD.replace("people:", "audiences: {donors: Blood donors}\npeople:"))
    shipped = {
        "public", "families", "teenagers", "associations", "professionals", "institutions", "researchers", "students",
        "staff",
    }  # fmt: skip
    catalogue = configuration.load(tmp_path).all_audiences
    assert set(catalogue) == shipped | {"donors"}


def test_the_schema_describes_every_field_with_an_example():
    for file, shape in configuration.schema().items():
        for name, model in {file: shape, **shape["$defs"]}.items():
            for field, facts in model.get("properties", {}).items():
                assert facts.get("description"), f"{name}.{field}"
                assert facts.get("examples"), f"{name}.{field}"


def test_the_schema_accepts_the_example():
    schemas = json.loads(json.dumps(configuration.schema()))
    written = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(written, default=str)), schemas["config.yaml"])


def test_short_timings_are_kept_from_a_lease_that_ends_too_soon(tmp_path):
    found = problems(tmp_path, "publishing: {send_deadline: 60, lease: 100}\n" + GOOD)
    assert "three times" in found[0]


# --- people and secrets -----------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    (tmp_path / "config.yaml").write_text(GOOD, encoding="utf-8")
    return configuration.load(tmp_path)


def test_the_actor_is_who_the_login_belongs_to(config, monkeypatch):
    monkeypatch.setenv("LOGNAME", "jo")
    assert (current(config).key, current(config).known) == ("jo", True)
    monkeypatch.setenv("LOGNAME", "stranger")
    assert (current(config).key, current(config).known) == ("stranger", False)
    monkeypatch.setenv("CM_ACTOR", "jo")
    assert (current(config).key, current(config).os_user) == ("jo", "stranger")
    with pytest.raises(UsageError, match="nobody"):
        current(config, "ann")


def test_sudo_does_not_hide_who_acts(config, monkeypatch):
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setenv("SUDO_USER", "jo")
    assert current(config).key == "jo"


def test_secrets_come_from_the_environment_or_a_private_file(tmp_path, monkeypatch):
    monkeypatch.setenv("CM_TOKEN", " abc \n")
    assert reveal("env:CM_TOKEN", tmp_path) == "abc"
    file = tmp_path / "token.secret"
    file.write_text("xyz\n")
    file.chmod(0o600)
    assert reveal("file:token.secret", tmp_path) == "xyz"
    file.chmod(0o644)
    with pytest.raises(WorkspaceError, match="others"):
        reveal("file:token.secret", tmp_path)
    for missing in ("env:CM_NOT_SET", "file:nowhere"):
        with pytest.raises(WorkspaceError):
            reveal(missing, tmp_path)


def test_a_channel_whose_secret_is_missing_is_still_built(tmp_path, config):
    """Listing and planning need no token; only the platform does."""
    assert build_adapter(tmp_path, config, "fb", SystemClock()).identity().handle == "page"


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer s3cr3t",
        '{"access_token": "s3cr3t"}',
        "GET /x?access_token=s3cr3t&a=b",
        "authorization=s3cr3t",
        "password=s3cr3t",
        "{'token': 's3cr3t'}",
        r"{\"access_token\": \"s3cr3t\"}",
        "Authorization: Basic s3cr3t",
        "https://jo:s3cr3t@example.org/x",
        "api_key=s3cr3t",
    ],
)
def test_the_log_is_redacted(line):
    assert "s3cr3t" not in redact(line)


def test_an_absent_configuration_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        configuration.load(tmp_path)
