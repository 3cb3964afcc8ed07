"""A call that dawdles is left behind."""

import threading

import pytest

from cm.publishing.deadline import DeadlinePassed, within


def test_the_result_or_the_error_comes_through():
    assert within(5, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_a_call_that_never_answers_ends_at_the_deadline():
    release = threading.Event()
    with pytest.raises(DeadlinePassed):
        within(0.05, release.wait)
    release.set()
