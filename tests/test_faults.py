"""The fault campaign of `make faults`, small: real servers that go wrong, real processes that are killed and frozen.

What it does and how it judges stands in `benchmarks/faults`; here its promises are asserted, and that simple
strategies break them on the same servers, so that the campaign can fail. One test, for one campaign.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
POSTS = 600


@pytest.mark.skipif("FAULTS" not in os.environ, reason="takes minutes and a quiet machine: FAULTS=1 runs it")
def test_the_campaign_keeps_every_promise_and_simple_strategies_break_them(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.faults", "--posts", str(POSTS), "--seed", "1", "--json", str(figures)]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stderr[-20_000:] + done.stdout
    found = json.loads(figures.read_text(encoding="utf-8"))
    once_and_in_order(found["cm"]["rows"])
    asked_only_what_nobody_can_know(found["cm"]["rows"])
    refused_after_creating_is_looked_for(found["cm"])
    everything_was_done(found["cm"]["counts"])
    simple_strategies_double_and_lose(found["naive"])


def once_and_in_order(rows):
    assert sum(row["posts"] for row in rows.values()) == POSTS
    for row in rows.values():
        assert (row["duplicates"], row["lost"], row["disordered"], row["restless"]) == (0, 0, 0, 0), row


def asked_only_what_nobody_can_know(rows):
    """Of what the restored backup forgot (`forgotten`) cm may ask on any platform."""
    assert all(row["answers_lost"] > 10 for row in rows.values()), "the faults were there"
    assert rows["keys"]["unconfirmed"] <= rows["keys"]["forgotten"]
    assert rows["listing"]["unconfirmed"] <= rows["listing"]["answers_lost"] + rows["listing"]["forgotten"]
    neither = rows["neither"]
    assert neither["answers_lost"] - neither["forgotten"] <= neither["unconfirmed"]
    assert neither["unconfirmed"] <= neither["answers_lost"] + neither["forgotten"]


def refused_after_creating_is_looked_for(ours):
    assert sum(row["refused_after"] for row in ours["rows"].values()) >= 1
    assert all("look first" in reason for reason in ours["reasons"])


def everything_was_done(counts):
    wanted = ("killed", "frozen", "clock jumps", "full disks", "database locked", "restored", "by hand")
    assert [name for name in wanted if not counts.get(name)] == []


def simple_strategies_double_and_lose(simple):
    assert simple["resend on any error"]["duplicates"] > 0
    assert simple["resend three times on 5xx and timeouts"]["duplicates"] > 0
    assert simple["resend three times on 5xx and timeouts"]["given_up"] > 0
    assert simple["mark done after sending"]["duplicates"] > 0
    assert simple["mark done after sending"]["lost"] > 0
