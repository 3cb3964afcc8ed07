"""Bluesky for real: the reference server (`@atproto/pds`) on this machine, spoken to by the very adapter.

Run by `make live` (CM_LIVE=1) after `npm install --prefix tests/live`; where that refuses install scripts, `npm
install-scripts approve better-sqlite3` or `npm rebuild better-sqlite3` builds what is missing. `CM_LIVE_NODE` names
another Node than the one on the path (22 or later), `CM_LIVE_MODULES` another folder that holds `node_modules`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_bluesky import Stored, context_for, media_at

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.bluesky.posting import COLLECTION
from cm.channels.contract import AdapterContract, prepared, sent, sought, stored
from cm.channels.port import Absent, AuthFailed, Context, Duplicate, Found, Media, Outgoing, Prepared, Rejected, Visit
from cm.clock import SettableClock

if os.environ.get("CM_LIVE") != "1":
    pytest.skip("real servers are started by `make live` (CM_LIVE=1)", allow_module_level=True)
pytestmark = pytest.mark.row("S12")
HERE = Path(__file__).parent
NODE = os.environ.get("CM_LIVE_NODE") or shutil.which("node")  # read now: tests do not see the person's environment
MODULES = Path(os.environ.get("CM_LIVE_MODULES", HERE))
NOW = datetime.now(UTC).replace(microsecond=0)
MESSAGE = Outgoing("Semaine des dons du sang 🩸", "fr", NOW, link="https://hopital.example/dons")
SINCE = NOW - timedelta(minutes=15)
_NUMBERS = count(1)


class Account:
    """An account of the running server, made for one test."""

    def __init__(self, url: str) -> None:
        self.url, self.handle = url, f"tilleuls{next(_NUMBERS)}.test"
        given = {"handle": self.handle, "email": f"{self.handle}@example.com", "password": "the account's own password"}
        made = self._post("com.atproto.server.createAccount", given)
        self.did, self._token = made["did"], made["accessJwt"]
        self.app_password = self._post("com.atproto.server.createAppPassword", {"name": "cm"})["password"]

    def _post(self, nsid: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} if hasattr(self, "_token") else {}
        answer = httpx.post(f"{self.url}/xrpc/{nsid}", json=body, headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json() if answer.content else {}
        return found

    def get(self, nsid: str, **query: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/xrpc/{nsid}", params=query).raise_for_status().json()
        return found

    def record(self, key: str) -> dict[str, Any]:
        """What stands under a key."""
        asked = {"repo": self.did, "collection": COLLECTION, "rkey": key}
        value: dict[str, Any] = self.get("com.atproto.repo.getRecord", **asked)["value"]
        return value

    def keys(self) -> list[str]:
        """All keys, the oldest first."""
        asked = {"repo": self.did, "collection": COLLECTION, "limit": "100", "reverse": "true"}
        return [
            entry["uri"].rpartition("/")[2] for entry in self.get("com.atproto.repo.listRecords", **asked)["records"]
        ]

    def overwrite(self, key: str, text: str) -> None:
        """As another client does that edits."""
        record = {**self.record(key), "text": text}
        body = {"repo": self.did, "collection": COLLECTION, "rkey": key, "record": record}
        self._post("com.atproto.repo.putRecord", body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a running PDS."""
    if not NODE or not (MODULES / "node_modules" / "@atproto" / "dev-env").is_dir():
        pytest.skip("needs Node 22 or later, and `npm install --prefix tests/live`")
    script = MODULES / "bluesky_pds.mjs"
    if script != HERE / script.name:
        shutil.copy(HERE / script.name, script)  # a module is looked for beside the script
    quiet = {**os.environ, "LOG_ENABLED": "false"}
    with subprocess.Popen([NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=quiet, text=True) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        line = next((line for line in run.stdout if line.startswith('{"url"')), None)
        assert line, "the server did not start"
        yield json.loads(line)["url"]
        run.stdin.close()
        run.wait(timeout=60)


@pytest.fixture
def account(server: str) -> Account:
    return Account(server)


@pytest.fixture
def login(account: Account) -> Stored:
    """Logged in by the adapter itself, with an app password."""
    kept = Stored({}, SettableClock(NOW))
    adapter = BlueskyAdapter(context_for(kept, account.handle, server=account.url))
    told = adapter.login_begin({"handle": account.handle, "password": account.app_password}, redirect_uri="")
    adapter.close()
    assert not isinstance(told, Visit)
    kept.keep(told)
    return kept


@pytest.fixture
def adapter(account: Account, login: Stored) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(login, account.handle, server=account.url))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "a.png")


class TestLiveContract(AdapterContract):
    """The whole contract on the real server; figures come from an index that is not part of it."""

    @pytest.fixture
    def adapter_class(self) -> type[BlueskyAdapter]:
        return BlueskyAdapter

    @pytest.fixture
    def context(self, account: Account, login: Stored) -> Context:
        return context_for(login, account.handle, server=account.url)

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, account: Account) -> Callable[[], int]:
        return lambda: len(account.keys())

    @pytest.fixture
    def parent_there(self, account: Account) -> Callable[[str], str | None]:
        return lambda key: account.record(key)["reply"]["parent"]["uri"].rpartition("/")[2]

    @pytest.fixture
    def alts_there(self, account: Account) -> Callable[[str], list[str]]:
        return lambda key: [image["alt"] for image in account.record(key)["embed"]["images"]]

    @pytest.fixture
    def text_there(self, account: Account) -> Callable[[str], str]:
        return lambda key: str(account.record(key)["text"])

    def test_taking_down_leaves_the_others(self, *_given: Any) -> None:
        pytest.skip("asks for figures, which need Bluesky's index")

    def test_metrics_are_numbers_or_unknown(self, *_given: Any) -> None:
        pytest.skip("asks for figures, which need Bluesky's index")


def test_check_tells_who_we_are(adapter: BlueskyAdapter, account: Account) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle) == (account.did, account.handle)
    assert info.token_expires_at is not None
    assert timedelta(days=89) < info.token_expires_at - NOW < timedelta(days=91)
    assert info.server_time is not None


def test_text_with_all_that_can_be_clicked(adapter: BlueskyAdapter, account: Account) -> None:
    other = Account(account.url)
    text = f"Heute: Händewaschen 🧼 mit @{other.handle} auf https://spital.example/hygiene #Hygiene"
    receipt = sent(adapter, replace(MESSAGE, text=text, fields={"warning": "nudity", "card_title": "Dons"}), "k")
    record = account.record(receipt.remote_id)
    features = [facet["features"][0] for facet in record["facets"]]
    assert [feature.get("did") or feature.get("uri") or feature.get("tag") for feature in features] == [
        other.did,
        "https://spital.example/hygiene",
        "Hygiene",
    ]
    data = text.encode()
    parts = [data[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode() for facet in record["facets"]]
    assert parts == [f"@{other.handle}", "https://spital.example/hygiene", "#Hygiene"]
    assert record["labels"]["values"] == [{"val": "nudity"}]
    assert record["embed"]["external"]["title"] == "Dons"


def test_a_thread_with_a_picture(adapter: BlueskyAdapter, account: Account, picture: Media) -> None:
    first = sent(adapter, replace(MESSAGE, media=(picture,)), "k1")
    second = sent(adapter, replace(MESSAGE, text="2/3", link=None, parent=first.remote_id), "k2")
    third = sent(adapter, replace(MESSAGE, text="3/3", link=None, parent=second.remote_id), "k3")
    assert account.keys() == [first.remote_id, second.remote_id, third.remote_id]
    image = account.record(first.remote_id)["embed"]["images"][0]
    assert (image["alt"], image["aspectRatio"]) == (picture.alt, {"width": 1, "height": 1})
    reply = account.record(third.remote_id)["reply"]
    assert reply["root"]["uri"].endswith(first.remote_id)
    assert reply["parent"]["uri"].endswith(second.remote_id)


@pytest.mark.parametrize("sign", ["x", "é", "e\u0301", "🇫🇷"])
def test_300_signs_are_taken_and_no_more(adapter: BlueskyAdapter, account: Account, sign: str) -> None:
    """What we refuse the server refuses too, and what we take it takes."""
    ready = prepared(adapter, replace(MESSAGE, text=sign * 300))
    adapter.send(ready, key="k")
    request = ready.body["request"]
    longer = {**request, "rkey": f"3{request['rkey'][1:12]}2", "record": {**request["record"], "text": sign * 301}}
    with pytest.raises(Rejected) as caught:
        adapter.send(Prepared({"request": longer}), key="k2")
    assert caught.value.field == "text"
    with pytest.raises(Rejected):
        adapter.prepare(replace(MESSAGE, text=sign * 301), {})
    assert len(account.keys()) == 1


def test_the_same_key_twice_and_another_text_under_it(adapter: BlueskyAdapter, account: Account) -> None:
    ready = stored(prepared(adapter, MESSAGE))
    wanted = sought(MESSAGE, ready, "k")
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=True)
    first, again = adapter.send(ready, key="k"), adapter.send(ready, key="k")
    assert first == again
    assert account.keys() == [first.remote_id]
    account.overwrite(first.remote_id, "Corrigé ailleurs")
    with pytest.raises(Duplicate):
        adapter.send(ready, key="k")
    assert account.record(first.remote_id)["text"] == "Corrigé ailleurs"
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, Found)
    assert answer.certain


def test_what_was_deleted_is_not_surely_absent(adapter: BlueskyAdapter, account: Account) -> None:
    ready = stored(prepared(adapter, MESSAGE))
    receipt = adapter.send(ready, key="k")
    adapter.delete(receipt.remote_id)
    adapter.delete(receipt.remote_id)
    assert account.keys() == []
    assert adapter.find(sought(MESSAGE, ready, "k"), since=SINCE) == Absent()


def test_a_session_is_renewed_and_ended(adapter: BlueskyAdapter, login: Stored) -> None:
    before = dict(login.values)
    login.clock.advance(timedelta(hours=2))
    adapter.check()
    assert login.values["refresh_token"] != before["refresh_token"]
    login.clock.advance(timedelta(hours=2))
    for _n in range(2):
        adapter.logout(login.read())
    with pytest.raises(AuthFailed, match="cm channel login bluesky"):
        adapter.check()


def test_a_wrong_app_password_is_told(account: Account) -> None:
    adapter = BlueskyAdapter(context_for(None, account.handle, server=account.url))
    with pytest.raises(AuthFailed, match="Invalid identifier or password"):
        adapter.login_begin({"handle": account.handle, "password": "abcd-efgh-ijkl-mnop"}, redirect_uri="")
    adapter.close()
