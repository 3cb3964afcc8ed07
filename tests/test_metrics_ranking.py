"""The best and the worst posts: named denominators, counts, ties, and no headline from a few."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.metrics.ranking import ENOUGH, Candidate, rank

counts = st.none() | st.integers(min_value=0, max_value=10**9)
figures = st.lists(st.tuples(counts, counts), max_size=30)


def candidates(pairs):
    """Posts named by their place."""
    return [Candidate(number, *pair) for number, pair in enumerate(pairs)]


@pytest.mark.row("S129")
def test_the_ends_come_with_n_and_what_the_rate_is_divided_by():
    found = rank(
        candidates([(10, 100), (1, 100), (5, 100), (4, 100), (3, 100), (None, 100), (7, None), (7, 0)]), "by_reach"
    )
    assert (found.denominator, found.n, found.unknown, found.enough) == ("by_reach", 5, (5, 6, 7), True)
    assert [(place.post, place.rate, place.engagements, place.denominator) for place in found.top] == [
        (0, 0.1, 10, 100), (2, 0.05, 5, 100), (3, 0.04, 4, 100),
    ]  # fmt: skip
    assert [place.post for place in found.bottom] == [1, 4]
    assert found.as_json(lambda post: {"id": f"p{post}"})["top"][0] == {
        "id": "p0", "rate": 0.1, "engagements": 10, "denominator": 100,
    }  # fmt: skip


@pytest.mark.parametrize("n", range(ENOUGH))
def test_a_few_posts_make_no_headline(n):
    found = rank(candidates([(number, 100) for number in range(n)]), "by_reach")
    assert (found.n, found.enough, found.top, found.bottom) == (n, False, (), ())


def test_equal_rates_keep_their_order_at_both_ends():
    found = rank(candidates([(1, 10)] * 9), "by_followers")
    assert [place.post for place in found.top] == [0, 1, 2]
    assert [place.post for place in found.bottom] == [3, 4, 5]


@given(figures)
def test_nobody_better_or_worse_is_left_out(pairs):
    found = rank(candidates(pairs), "by_reach")
    known = {post: value for post, value in ((c.post, c.rate) for c in candidates(pairs)) if value is not None}
    assert found.n == len(known)
    assert set(found.unknown) == set(range(len(pairs))) - known.keys()
    ends = [place.post for place in (*found.top, *found.bottom)]
    assert len(ends) == len(set(ends))
    if not found.enough:
        assert ends == []
        return
    between = [known[post] for post in known.keys() - set(ends)]
    best, worst = [known[place.post] for place in found.top], [known[place.post] for place in found.bottom]
    assert best == sorted(best, reverse=True)
    assert worst == sorted(worst)
    assert all(min(best) >= value >= max(worst) for value in between)
    assert len(best) == 3
    assert len(worst) == min(3, len(known) - 3)


@given(figures)
def test_unknown_posts_change_nothing(pairs):
    plain, more = rank(candidates(pairs), "x"), rank(candidates([*pairs, (None, 5), (5, None), (5, 0)]), "x")
    assert (plain.top, plain.bottom, plain.n) == (more.top, more.bottom, more.n)


def test_ranking_and_maps_load_no_database():
    code = "import sys, cm.metrics.ranking, cm.metrics.filemap, cm.metrics.figures; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "sqlmodel", "httpx", "openpyxl"} & set(loaded)
