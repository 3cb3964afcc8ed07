"""Rates, growth and quota: known answers on real figures, and what holds for all figures."""

import csv
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.metrics.rates import (
    SOURCE_TOTAL,
    PostNumbers,
    difference,
    engagements,
    growth,
    period_rate,
    quota_compliance,
    quota_days_met,
    rate,
    total,
)
from cm.model.facts import DayCount

counts = st.integers(min_value=0, max_value=10**9)
maybe = st.none() | counts
pairs = st.lists(st.tuples(maybe, maybe))
numbers = st.builds(PostNumbers, maybe, maybe, maybe, maybe, maybe, maybe, maybe, maybe, maybe)


def cell(text: str) -> int | None:
    return int(text) if text.strip() else None


@pytest.fixture(scope="module")
def pages(shared_data: Path) -> list[dict[str, int | None]]:
    """500 posts of a real page, 2014 (UCI "Facebook metrics", Moro, Rita, Vala 2016)."""
    with (shared_data / "facebook_metrics_uci.csv").open(encoding="utf-8", newline="") as file:
        rows = [{key: cell(row[key]) for key in row if key != "Type"} for row in csv.DictReader(file, delimiter=";")]
    assert len(rows) == 500
    return rows


def as_numbers(row: dict[str, int | None]) -> PostNumbers:
    return PostNumbers(
        reach=row["Total Reach"],
        impressions=row["Total Impressions"],
        reactions=row["like"],
        comments=row["comment"],
        shares=row["share"],
        engagements=row["Total Interactions"],
    )


def test_known_answers_by_reach_and_by_impressions(pages):
    posts = [as_numbers(row) for row in pages]
    by_reach = period_rate((engagements(post).value, post.reach) for post in posts)
    by_impressions = period_rate((engagements(post).value, post.impressions) for post in posts)
    percents = [by_reach.pooled, by_reach.mean, by_reach.median, by_impressions.pooled]
    assert [f"{100 * ratio:.4f}" for ratio in percents if ratio is not None] == ["1.5257", "2.4071", "2.1234", "0.7170"]
    assert by_reach.n == by_impressions.n == 500
    assert total(engagements(post).value for post in posts) == 106_060


def test_known_answer_by_followers_is_the_mean(pages):
    by_followers = period_rate((row["Total Interactions"], row["Page total likes"]) for row in pages)
    assert by_followers.mean is not None
    assert f"{100 * by_followers.mean:.4f}" == "0.1734"


def test_blank_cells_stay_unknown(pages):
    posts = [as_numbers(row) for row in pages]
    assert sum(post.reactions is None for post in posts) == 1
    assert sum(post.shares is None for post in posts) == 4
    without_total = [engagements(replace(post, engagements=None)) for post in posts]
    assert sum("shares" not in engaged.components for engaged in without_total) == 4
    assert all(engaged.value is not None for engaged in without_total)


def test_the_source_s_own_total_is_taken_before_components():
    assert engagements(PostNumbers(reactions=3, comments=1, engagements=9)).value == 9
    assert engagements(PostNumbers(reactions=3, comments=1, engagements=9)).components == (SOURCE_TOTAL,)


def test_components_are_added_and_named_and_clicks_are_not_among_them():
    engaged = engagements(PostNumbers(reactions=3, shares=0, saves=2, clicks=100, views=500))
    assert (engaged.value, engaged.components) == (5, ("reactions", "shares", "saves"))


def test_nothing_known_is_not_zero():
    assert engagements(PostNumbers(reach=100, clicks=7)).value is None
    assert engagements(PostNumbers(reactions=0)).value == 0
    assert total([None, None]) is None
    assert total([None, 0]) == 0


@pytest.mark.parametrize(("value", "denominator"), [(None, 10), (3, None), (3, 0), (0, 0), (3, -5)])
def test_a_rate_without_denominator_is_undefined(value, denominator):
    assert rate(value, denominator) is None
    assert period_rate([(value, denominator)]).n == 0


def test_growth_and_difference():
    assert growth(1000, 1030) == pytest.approx(0.03)
    assert growth(1000, 900) == pytest.approx(-0.1)
    assert (growth(0, 10), growth(None, 10), growth(10, None)) == (None, None, None)
    assert (difference(5, 7), difference(None, 7), difference(5, None)) == (-2, None, None)


@given(numbers)
def test_engagements_are_the_sum_of_what_is_named(post):
    engaged = engagements(post)
    if engaged.components == (SOURCE_TOTAL,):
        assert engaged.value == post.engagements
    else:
        named = [getattr(post, name) for name in engaged.components]
        assert engaged.value == (sum(named) if named else None)
        assert None not in named


@given(numbers, maybe, maybe)
def test_clicks_and_views_change_nothing(post, clicks, views):
    assert engagements(replace(post, clicks=clicks, views=views)) == engagements(post)


@given(pairs)
def test_every_rate_lies_between_the_lowest_and_the_highest_post(posts):
    ratios = [e / d for e, d in posts if e is not None and d]
    found = period_rate(posts)
    assert found.n == len(ratios)
    for value in (found.pooled, found.mean, found.median):
        if not ratios:
            assert value is None
        else:
            assert value is not None
            assert min(ratios) * (1 - 1e-9) <= value <= max(ratios) * (1 + 1e-9)


@given(pairs, st.randoms(use_true_random=False))
def test_order_does_not_matter(posts, random):
    shuffled = list(posts)
    random.shuffle(shuffled)
    assert period_rate(shuffled) == period_rate(posts)


@given(pairs, st.sampled_from([(None, None), (None, 5), (5, None), (5, 0)]))
def test_an_unmeasured_post_changes_nothing(posts, unmeasured):
    assert period_rate([*posts, unmeasured]) == period_rate(posts)


@given(counts, st.integers(min_value=1, max_value=10**9))
def test_growth_brings_the_start_to_the_end(end, start):
    found = growth(start, end)
    assert found is not None
    assert start * (1 + found) == pytest.approx(end, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(4, 9)), max_size=14))
def test_quota_counts_the_days_within_their_own_bounds(days):
    start = date(2026, 11, 23)
    found = [DayCount(start + timedelta(n), "facebook", *day) for n, day in enumerate(days)]
    met = sum(low <= count <= high for count, low, high in days)
    assert quota_days_met(found) == met
    assert quota_compliance(found) == (met / len(days) if days else None)


def test_rates_load_no_database():
    code = "import sys, cm.metrics.rates, cm.metrics.assemble; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "sqlmodel", "httpx"} & set(loaded)
