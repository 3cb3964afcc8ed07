"""Collecting figures: every answer is kept, one platform's trouble is its own."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from support_metrics import MONDAY, Platform, Silent, config, entry, paris, seed_post, workspace

from cm.channels.port import (
    AuthFailed,
    Context,
    Duplicate,
    Numbers,
    Outgoing,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.channels.sandbox.adapter import SandboxAdapter
from cm.channels.sandbox.platform import SandboxPlatform
from cm.errors import NotFound, WorkspaceError
from cm.metrics.collect import collect
from cm.metrics.report import week_report
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Receipt, Snapshot

CLOSED = {"audiences": ["public"], "state": "closed", "platform": "vine"}


@pytest.fixture
def env(tmp_path):
    opened = workspace(tmp_path)
    yield opened
    opened.store.close()


def snapshots(env, channel=None):
    with env.store.read() as session:
        rows = session.exec(select(Snapshot).order_by(col(Snapshot.id))).all()
        return [row for row in rows if channel in (None, row.channel)]


def test_posts_and_account_are_kept_as_reported(env):
    post = seed_post(env)
    platform = Platform({f"r{post}": Numbers(reach=900, reactions=12, shares=0)}, Numbers(followers=4321))
    result = collect(env, {"facebook": platform}, channels=["facebook"])
    measured, account = snapshots(env)
    assert (measured.post_id, measured.reach, measured.reactions, measured.shares) == (post, 900, 12, 0)
    assert (measured.impressions, measured.comments, measured.engagements) == (None, None, None)
    assert (account.post_id, account.channel, account.followers) == (None, "facebook", 4321)
    assert {(row.taken_at, row.source) for row in (measured, account)} == {(env.now, "memory")}
    assert result.exit_code == 0
    assert json.loads(json.dumps(result.as_json())) == {
        "channels": [
            {
                "channel": "facebook",
                "status": "ok",
                "simulated": True,
                "posts": 1,
                "account": 1,
                "gone": 0,
                "taken_at": env.now.isoformat(),
                "kind": None,
                "reason": None,
            }
        ]
    }


def test_a_second_time_adds_and_changes_nothing_before(env):
    post = seed_post(env)
    platform = Platform({f"r{post}": Numbers(reach=10)})
    collect(env, {"facebook": platform})
    before = [row.model_dump() for row in snapshots(env)]
    env.clock.advance(timedelta(hours=1))
    platform.numbers[f"r{post}"] = Numbers(reach=25)
    collect(env, {"facebook": platform})
    after = [row.model_dump() for row in snapshots(env)]
    assert after[:2] == before
    assert [row["reach"] for row in after] == [10, None, 25, None]


def test_only_posts_of_the_last_thirty_days_of_this_account_are_asked_for(env):
    old = seed_post(env, published_at=env.now - timedelta(days=30, seconds=1))
    recent = seed_post(env, published_at=env.now - timedelta(days=30))
    thread = seed_post(env, parts=3)
    for state in (PostState.SCHEDULED, PostState.HANDED, PostState.MISSED):
        seed_post(env, state=state)
    seed_post(env, channel="twitter")
    partly = seed_post(env, state=PostState.FAILED, remote_id="part-one")
    platform = Platform()
    collect(env, {"facebook": platform})
    assert platform.calls == [None, (f"r{recent}", f"r{thread}", "part-one")]
    assert old < recent < thread < partly


def test_posts_of_an_account_that_was_left_are_not_asked_of_the_new_one(env):
    seed_post(env)
    with env.store.write() as session:
        session.add(Account(id=9, platform="facebook", host="here", handle="new"))
        session.flush()
        session.execute(sa.update(Channel).where(col(Channel.name) == "facebook").values(account_id=9))
    platform = Platform()
    collect(env, {"facebook": platform})
    assert platform.calls == [None]


def test_a_post_that_was_taken_down_is_not_asked_for(env):
    post, gone = seed_post(env), seed_post(env)
    with env.store.write() as session:
        for receipt in session.exec(select(Receipt).where(Receipt.remote_id == f"r{gone}")):
            receipt.gone_at = env.now
            session.add(receipt)
    platform = Platform({f"r{number}": Numbers(reach=1) for number in (post, gone)})
    found = collect(env, {"facebook": platform}, channels=["facebook"]).channels[0]
    assert (found.posts, found.gone) == (1, 0)
    assert {row.post_id for row in snapshots(env)} <= {post, None}


def test_posts_are_asked_for_forty_at_a_time_and_those_gone_are_counted(env):
    posts = [seed_post(env, MONDAY, hour=n % 24) for n in range(85)]
    platform = Platform({f"r{post}": Numbers(reach=1) for post in posts[5:]})
    result = collect(env, {"facebook": platform}, channels=["facebook"])
    assert [len(call) for call in platform.calls if call is not None] == [40, 40, 5]
    (found,) = result.channels
    assert (found.status, found.posts, found.gone) == ("ok", 80, 5)
    assert len(snapshots(env)) == 81


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Retryable("refused"), "retryable"),
        (RateLimited("slow down", retry_after=60), "rate_limited"),
        (AuthFailed("token expired"), "auth_failed"),
        (Rejected("no such right"), "rejected"),
        (Duplicate("odd"), "duplicate"),
        (UnknownOutcome("no answer"), "unknown"),
        (WorkspaceError("The variable CM_TOKEN is not set."), "workspace"),
    ],
)
def test_one_platform_s_trouble_is_told_and_stops_no_other(env, error, kind):
    post = seed_post(env, channel="twitter")
    well = Platform({f"r{post}": Numbers(reach=5)})
    result = collect(env, {"facebook": Platform(error=error), "twitter": well})
    failed, ok = result.channels
    assert (failed.channel, failed.status, failed.kind, failed.reason) == ("facebook", "failed", kind, str(error))
    assert (ok.channel, ok.status, ok.posts, ok.account) == ("twitter", "ok", 1, 1)
    assert result.exit_code == (7 if kind == "auth_failed" else 6)
    assert {row.channel for row in snapshots(env)} == {"twitter"}


def test_an_adapter_s_own_fault_is_told_without_its_words(env):
    result = collect(env, {"facebook": Platform(error=KeyError("Bearer s3cret"))}, channels=["facebook"])
    (found,) = result.channels
    assert (found.status, found.kind) == ("failed", "adapter")
    assert "KeyError" in (found.reason or "")
    assert "s3cret" not in json.dumps(result.as_json())


def test_what_was_answered_before_the_trouble_is_kept(env):
    posts = [seed_post(env, MONDAY, hour=n % 24) for n in range(50)]
    platform = Platform({f"r{post}": Numbers(reach=1) for post in posts}, error=RateLimited("slow down"), fails_at=3)
    (found,) = collect(env, {"facebook": platform}, channels=["facebook"]).channels
    assert (found.status, found.posts, found.account, found.gone) == ("failed", 40, 1, 0)
    assert len(snapshots(env)) == 41


def test_channels_that_give_no_figures_are_skipped(tmp_path):
    env = workspace(
        tmp_path, config(**{name: {"audiences": ["public"], "platform": name} for name in "abc"}, vine=CLOSED)
    )
    adapters = {"a": Silent(), "b": Platform(), "vine": Platform()}
    result = collect(env, adapters)
    told = {found.channel: (found.status, found.kind) for found in result.channels}
    assert told == {"a": ("skipped", "no_metrics"), "b": ("ok", None), "c": ("skipped", "no_adapter")}
    assert result.exit_code == 0
    (asked,) = collect(env, adapters, channels=["vine"]).channels
    assert (asked.status, asked.kind) == ("skipped", "not_active")
    env.store.close()


def test_a_channel_that_is_not_configured_is_not_found(env):
    with pytest.raises(NotFound, match="myspace"):
        collect(env, {}, channels=["myspace"])


def test_what_is_collected_before_the_cut_off_is_what_the_report_shows(env):
    post = seed_post(env)
    platform = Platform({f"r{post}": Numbers(reach=100, reactions=3)})
    for at, reach in ((paris(MONDAY + timedelta(days=7), 8), 100), (paris(MONDAY + timedelta(days=7), 8, 1), 999)):
        env.clock.set(at)
        platform.numbers[f"r{post}"] = Numbers(reach=reach, reactions=3)
        collect(env, {"facebook": platform})
    found = week_report(env)["channels"][0]
    assert (found["reach"], found["engagements"], found["followers"]["end"]) == (100, 3, 1000)


# --- the pretend platform ---------------------------------------------------------------------------------------------


def sandbox(env, channel="facebook"):
    """The adapter that the example's channels use, on its own file in the workspace."""
    context = Context(
        channel=channel,
        platform="facebook",
        account=channel,
        workspace=env.root,
        settings=SandboxAdapter.Settings(),
        clock=env.clock,
        secret=lambda: None,
    )
    return SandboxAdapter(context)


def test_the_sandbox_is_measured_as_its_posts_grow_older(env):
    env.clock.set(paris(MONDAY))
    adapter = sandbox(env)
    outgoing = Outgoing("Bonjour à tous", "fr", created_at=env.now)
    prepared = adapter.prepare(outgoing, {})
    assert isinstance(prepared, Prepared)
    receipt = adapter.send(prepared, key="k1")
    seed_post(env, remote_id=receipt.remote_id, published_at=receipt.published_at)
    for days in (1, 5):
        env.clock.set(paris(MONDAY + timedelta(days=days)))
        (found,) = collect(env, {"facebook": adapter}, channels=["facebook"]).channels
        assert (found.status, found.posts, found.account, found.gone) == ("ok", 1, 1, 0)
    young, _, old, _ = snapshots(env)
    assert 0 < young.reach < old.reach
    assert young.source == "sandbox"
    env.clock.set(paris(MONDAY + timedelta(days=8)))
    report = week_report(env)
    assert report["simulated"] is True
    assert entry(report)["reach"] == old.reach
    assert entry(report)["engagement_rate"]["by_reach"]["pooled"] > 0


def test_a_fault_scripted_in_the_sandbox_is_told(env):
    adapter = sandbox(env)
    SandboxPlatform(env.root).fail_next("auth_failed", "metrics")
    (found,) = collect(env, {"facebook": adapter}, channels=["facebook"]).channels
    assert (found.status, found.kind) == ("failed", "auth_failed")
