"""The example that `cm init` installs: it loads without a fault, on any Monday."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support_calendar import make_env

from cm.calendar import posts
from cm.calendar.example import shift_offsets
from cm.calendar.exporting import export_posts
from cm.calendar.importing import import_posts
from cm.calendar.overview import gaps
from cm.clock import SettableClock
from cm.config import load
from cm.env import Env

ROOT = Path(__file__).resolve().parents[1]
MONDAYS = [date(2026, 11, 23), date(2026, 10, 19), date(2027, 3, 22)]
"""An ordinary one, and two whose fortnights hold a clock change."""


def example_env(root: Path, monday: date) -> Env:
    config = load(ROOT)
    env = make_env(root, channels={name: channel.model_dump() for name, channel in config.channels.items()})
    clock = SettableClock(datetime(monday.year, monday.month, monday.day, tzinfo=UTC) - timedelta(days=2))
    return Env(root, config, env.store, clock, env.actor, "run", frozenset(config.channels))


def example(monday: date) -> bytes:
    return shift_offsets((ROOT / "schedules" / "example.csv").read_bytes(), monday)


@pytest.mark.row("S1", "S2", "S3", "S6", "S27")
@pytest.mark.parametrize("monday", MONDAYS)
def test_the_example_has_neither_faults_nor_findings_nor_gaps(tmp_path: Path, monday: date) -> None:
    env = example_env(tmp_path, monday)
    result = import_posts(env, example(monday), filename="example.csv", example=True)
    assert (result.errors, result.findings, result.notes) == ((), (), ())
    assert 100 <= result.created <= 120
    found = gaps(env, monday, monday + timedelta(days=13))
    assert found.findings == ()
    assert len(found.days) == 2 * 14
    assert import_posts(env, example(monday), filename="example.csv").unchanged == result.created
    assert import_posts(env, export_posts(env), filename="example.csv").unchanged == result.created


@pytest.mark.row("S3", "S6")
def test_the_example_tells_stories_differently_in_many_kinds(tmp_path: Path) -> None:
    env = example_env(tmp_path, MONDAYS[0])
    import_posts(env, example(MONDAYS[0]), filename="example.csv", example=True)
    views = posts.list_posts(env)
    assert len({view.kind for view in views}) >= 8
    assert all(view.example and view.simulated for view in views)
    told = {view.story for view in views if view.channel == "facebook"} & {
        view.story for view in views if view.channel == "twitter"
    }
    assert len(told - {None}) >= 10
    assert any(sum(message.role == "part" for message in view.messages) == 3 for view in views)


def test_offsets_become_days_and_nothing_else_changes() -> None:
    data = (
        b"ref,channel,date,kind,fields,text\r\n"
        b'a,facebook,d0,event,place=d4|event_date=d13,"d1, \'=x\nd2"\r\n'
        b"b,facebook,2026-01-01,event,event_date=2026-01-02,d3\r\n"
    )
    assert shift_offsets(data, date(2026, 12, 28)).decode() == (
        "ref,channel,date,kind,fields,text\r\n"
        'a,facebook,2026-12-28,event,place=d4|event_date=2027-01-10,"d1, \'=x\nd2"\r\n'
        "b,facebook,2026-01-01,event,event_date=2026-01-02,d3\r\n"
    )
