"""Networks that exist no more (Viadeo, Google+): closed with a successor, history kept, publishing refused."""

from pathlib import Path

import pytest
import yaml
from conftest import Run
from support_publish import channel, make_workspace, open_desk

from cm.workspace import check_config


def configure(root: Path, name: str, **changes: str) -> None:
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    data["channels"][name].update(changes)
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A hospital that published on Viadeo, in the days when it was there."""
    channels = {
        "viadeo": channel("jobs", platform="viadeo"),
        "work": channel("page", platform="linkedin", adapter="sandbox"),
    }
    return make_workspace(tmp_path / "w", channels)


@pytest.mark.row("S15")
def test_history_stays_and_publishing_is_refused_with_the_successor_named(
    root: Path, run: Run, run_json, run_err
) -> None:
    desk = open_desk(root)
    out = desk.add("Nous recrutons", to="viadeo")
    desk.tick()
    waiting = desk.add("Nous recrutons encore", to="viadeo", minutes=30)
    desk.close()
    configure(root, "viadeo", state="closed", successor="work")
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    del data["channels"]["viadeo"]["adapter"]  # nobody speaks to it any more
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    assert check_config(root) == []
    desk = open_desk(root)
    try:
        result = desk.tick(minutes=31)
        assert [entry.id for entry in result.lists["held"].values()] == [waiting]
        assert "work" in desk.show(waiting).reason
        assert desk.show(out).state.value == "published"
    finally:
        desk.close()
    now = ("--now", "2026-11-23T12:00")
    refused = run_err(4, *now, "post", "add", "-c", "viadeo", "--kind", "thanks", "--text", "Merci", cwd=root)
    assert "work" in refused["hint"]
    report = run_json(*now, "report", "2026-W48", cwd=root)
    assert "viadeo" in str(report["channels"])
    listed = run_json(*now, "channel", "list", cwd=root)["channels"]
    assert [(each["name"], each["state"], each["published"]) for each in listed if each["name"] == "viadeo"] == [
        ("viadeo", "closed", 1)
    ]


@pytest.mark.row("S15")
@pytest.mark.parametrize(
    ("platform", "network", "hint"),
    [
        ("viadeo", "Viadeo", "`successor: work`"),
        ("google-plus", "Google+", "a channel on facebook"),
        ("google_plus", "Google+", "a channel on facebook"),
        ("gplus", "Google+", "a channel on facebook"),
    ],
)
@pytest.mark.parametrize("adapter", ["sandbox", "outbox"])
def test_a_channel_that_is_not_closed_there_is_a_fault(
    root: Path, run: Run, platform: str, network: str, hint: str, adapter: str
) -> None:
    configure(root, "viadeo", platform=platform, adapter=adapter)
    (problem,) = check_config(root)
    assert (problem.message, problem.field) == (f"{network} exists no more", "channels.viadeo.platform")
    assert "state: closed" in problem.hint
    assert hint in problem.hint
    assert run("config", "check", cwd=root).code == 3
    configure(root, "viadeo", state="closed")
    assert check_config(root) == []
