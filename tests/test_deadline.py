"""A call that dawdles is left behind."""

import socketserver
import threading

import pytest

from cm.channels.http import Http
from cm.channels.port import ChannelError, Retryable
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


def test_a_request_whose_caller_has_given_up_stays_at_home():
    """It waited for its login for longer than the sending might take: nobody would hear what becomes of it."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.timeout = 0.5
        may_go, done = threading.Event(), threading.Event()

        def slow_login(_method, _url):
            may_go.wait(10)
            return {"Authorization": "Bearer renewed"}

        http = Http(f"http://127.0.0.1:{server.server_address[1]}", authorize=slow_login)
        met = []

        def call():
            try:
                http.call("POST", "/statuses", mode="sending", json={})
            except ChannelError as error:
                met.append(error)
            finally:
                done.set()

        with pytest.raises(DeadlinePassed):
            within(0.05, call)
        may_go.set()
        assert done.wait(10)
        assert [type(error) for error in met] == [Retryable]
        asked = []
        server.process_request = lambda request, address: asked.append(address)
        server.handle_request()
        assert asked == [], "nothing left this machine"
