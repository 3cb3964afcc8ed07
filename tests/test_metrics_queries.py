"""The report's queries keep to their indexes, however many snapshots there are."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from support_metrics import MONDAY, paris, seed_followers, seed_post, seed_snapshot, workspace

from cm.metrics.queries import followers_at_start, followers_statement, planned_posts, posts_statement

SUNDAY = MONDAY + timedelta(days=6)
CUT_OFF = paris(MONDAY + timedelta(days=7), 8)
NAMES = ("facebook", "twitter")


@pytest.fixture
def env(tmp_path):
    opened = workspace(tmp_path)
    yield opened
    opened.store.close()


def plan(env, statement):
    """SQLite's own account of how it answers the statement."""
    asked = []
    with env.store.read() as session:
        connection = session.connection()
        sa.event.listen(
            connection, "before_cursor_execute", lambda _c, _k, sql, values, _x, _m: asked.append((sql, values))
        )
        connection.execute(statement).all()
        sql, values = asked[0]
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]


def test_posts_of_a_week_are_found_by_indexes_alone(env):
    steps = plan(env, posts_statement(NAMES, MONDAY, SUNDAY, CUT_OFF))
    assert not [step for step in steps if step.startswith("SCAN")]
    assert "SEARCH post USING INDEX ix_post_channel_day (channel=? AND day>? AND day<?)" in steps
    assert "SEARCH latest USING COVERING INDEX ix_snapshot_post (post_id=? AND taken_at<?)" in steps
    assert "SEARCH account USING INDEX ix_snapshot_channel (channel=? AND taken_at<?)" in steps


def test_followers_are_found_by_the_index_of_accounts(env):
    assert plan(env, followers_statement("facebook", CUT_OFF)) == [
        "SEARCH snapshot USING INDEX ix_snapshot_channel (channel=? AND taken_at<?)"
    ]


def test_only_the_latest_snapshot_of_many_is_read(env):
    for day in range(5):
        post = seed_post(env, MONDAY + timedelta(days=day))
        for hour in range(10):
            seed_snapshot(env, post, paris(SUNDAY, hour), reach=100 * day + hour)
    with env.store.read() as session:
        rows = planned_posts(session, NAMES, MONDAY, SUNDAY, paris(SUNDAY, 7, 30))
    assert [row.numbers.reach for row in rows if row.numbers] == [7, 107, 207, 307, 407]
    assert {row.taken_at for row in rows} == {paris(SUNDAY, 7)}


def test_posts_of_other_channels_and_days_stay_out(env):
    inside = seed_post(env, SUNDAY, hour=23)
    seed_post(env, SUNDAY, channel="twitter")
    seed_post(env, MONDAY - timedelta(days=1), hour=23)
    seed_post(env, SUNDAY + timedelta(days=1), hour=0)
    with env.store.read() as session:
        assert [row.id for row in planned_posts(session, ["facebook"], MONDAY, SUNDAY, CUT_OFF)] == [inside]


def test_a_count_without_followers_is_passed_over(env):
    seed_followers(env, paris(MONDAY - timedelta(days=2)), 900)
    seed_snapshot(env, None, paris(MONDAY - timedelta(days=1)), impressions=4)
    with env.store.read() as session:
        found = followers_at_start(session, "facebook", paris(MONDAY, 0))
    assert found is not None
    assert (found.count, found.taken_at) == (900, paris(MONDAY - timedelta(days=2)))
