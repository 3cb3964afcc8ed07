"""The contract of cm, held by this adapter: these lines are all that it takes."""

from datetime import UTC, datetime

import pytest
from cm.channels.contract import AdapterContract
from cm.channels.port import Context, Outgoing
from cm.clock import SystemClock
from cm_webfeed import Settings, WebFeed


class TestWebFeed(AdapterContract):
    @pytest.fixture
    def adapter_class(self):
        return WebFeed

    @pytest.fixture
    def context(self, tmp_path):
        settings = Settings(file="feed.xml", site="https://hopital.example/actualites")
        return Context("site", "webfeed", "actualites", tmp_path, settings, SystemClock(), lambda: None)

    @pytest.fixture
    def message(self):
        return Outgoing("Portes ouvertes samedi", "fr", datetime(2026, 11, 28, 9, tzinfo=UTC))
