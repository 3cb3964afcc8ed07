"""The contract every adapter is held to, ours and those of other packages. Imported by tests only.

A test class subclasses `AdapterContract` and gives three fixtures: `adapter_class`, `context` and
`message` (a first part that the platform takes). What it can look up on the other side it gives too:
`posts_there`, `parent_there`, `alts_there`, `text_there`; without them the promise is tested as far as the
port shows it, and what an adapter does not claim is skipped with its reason.
"""

import builtins
import hashlib
import io
import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from cm.channels.port import (
    PORT_VERSION,
    Absent,
    Adapter,
    CannotTell,
    ChannelError,
    Context,
    Deletes,
    Edits,
    Finds,
    Found,
    Listing,
    Media,
    Metrics,
    Outgoing,
    Pending,
    Prepared,
    Receipt,
    Rejected,
    Sighting,
    Sought,
)

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360f8cf00000201"
    "0100c9fe92ef0000000049454e44ae426082"
)
"""A PNG of one pixel."""
MARGIN = timedelta(minutes=15)
"""How much before a post's own time is looked, as the engine does."""
HOSTILE_IDS = ("", "..", "../..", "1/../../accounts", "a?b=c#d", "\x00", "\ud83d", "9" * 70_000, "é\r\nX: y")
_TRIES = 20
_IO = [
    (builtins, "open"),
    (io, "open"),
    (os, "open"),
    (os, "mkdir"),
    (os, "stat"),
    (sqlite3, "connect"),
    (socket.socket, "connect"),
    (socket, "getaddrinfo"),
]


class AdapterContract:
    """Subclass it in a test module, name the subclass `Test…`."""

    # --- what the subclass gives ------------------------------------------------------------------------------------

    @pytest.fixture
    def posts_there(self) -> Callable[[], int] | None:
        """How many posts the account has on the platform; None if that cannot be looked up."""
        return None

    @pytest.fixture
    def parent_there(self) -> Callable[[str], str | None] | None:
        """The remote id which a post answers, by the post's own; None if that cannot be looked up."""
        return None

    @pytest.fixture
    def alts_there(self) -> Callable[[str], list[str]] | None:
        """The alt texts of a post's media, by its remote id; None if that cannot be looked up."""
        return None

    @pytest.fixture
    def text_there(self) -> Callable[[str], str] | None:
        """What a post says, by its remote id; None if that cannot be looked up."""
        return None

    # --- what is made of it -----------------------------------------------------------------------------------------

    @pytest.fixture
    def adapter(self, adapter_class: type[Adapter], context: Context) -> Iterator[Adapter]:
        """The adapter, closed after the test."""
        made = adapter_class(context)
        yield made
        made.close()

    @pytest.fixture
    def picture(self, tmp_path: Path) -> Media:
        """A small PNG with an alt text."""
        path = tmp_path / "picture.png"
        path.write_bytes(PICTURE)
        return Media(path, "image/png", hashlib.sha256(PICTURE).hexdigest(), "Une infirmière sourit à l’entrée.")

    # --- before anything is sent ------------------------------------------------------------------------------------

    def test_building_and_identity_touch_nothing(
        self, adapter_class: type[Adapter], context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            for place, name in _IO:
                patch.setattr(place, name, _forbidden(name))
            first, second = adapter_class(context), adapter_class(context)
            identities = {first.identity(), first.identity(), second.identity()}
        assert len(identities) == 1, "the identity of an account does not change"
        known = identities.pop()
        assert all((known.platform, known.host, known.handle)), "platform, host and handle are all told"
        first.close()
        second.close()

    def test_capabilities_make_sense(self, adapter: Adapter) -> None:
        able = adapter.capabilities
        assert able.port_version == PORT_VERSION
        assert able.platform
        assert able.delivery in ("network", "person")
        assert all(mime.count("/") == 1 and mime == mime.lower() for mime in able.media)
        assert (able.max_media > 0) == bool(able.media), "media are taken or they are not"
        assert able.max_characters is None or able.max_characters > 0

    def test_settings_refuse_what_they_do_not_know(self, adapter: Adapter) -> None:
        assert issubclass(adapter.Settings, BaseModel)
        with pytest.raises(ValidationError, match="no_such_setting"):
            adapter.Settings.model_validate({"no_such_setting": 1})

    def test_check_tells_who_we_are(self, adapter: Adapter) -> None:
        info = adapter.check()
        assert info.remote_id, "the platform has an id for the account"
        assert info.handle
        assert info.key_window >= 0
        assert json.loads(json.dumps(info.limits)) == info.limits, "limits are stored as JSON"
        assert adapter.check().remote_id == info.remote_id

    def test_prepare_can_be_repeated_and_shows_nothing(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        before = posts_there() if posts_there else None
        first, second = prepared(adapter, message), prepared(adapter, message)
        for one in (first, second):
            assert json.loads(json.dumps(one.body)) == one.body, "the body survives being stored as JSON"
            assert one.expires_at is None or one.expires_at.tzinfo is not None
        assert first.body.keys() == second.body.keys()
        assert before == (posts_there() if posts_there else None), "nothing is public before send"

    # --- sending ----------------------------------------------------------------------------------------------------

    def test_send_gives_a_receipt(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        before = posts_there() if posts_there else 0
        receipt = sent(adapter, message, "contract-receipt")
        assert receipt.remote_id
        assert isinstance(receipt.remote_id, str)
        assert receipt.permalink is None or "://" in receipt.permalink
        assert receipt.published_at.tzinfo is not None
        if posts_there:
            assert posts_there() == before + 1

    def test_the_same_key_never_makes_a_second_post(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        if adapter.check().key_window == 0:
            pytest.skip("the platform honours no idempotency keys")
        before = posts_there() if posts_there else 0
        body = stored(prepared(adapter, message))
        first = adapter.send(body, key="contract-twice")
        again = adapter.send(body, key="contract-twice")
        assert again.remote_id == first.remote_id
        if posts_there:
            assert posts_there() == before + 1

    def test_another_key_makes_another_post(self, adapter: Adapter, message: Outgoing) -> None:
        other = replace(message, text=f"{message.text} (2)")
        assert sent(adapter, message, "contract-one").remote_id != sent(adapter, other, "contract-two").remote_id

    def test_a_part_answers_the_part_before(
        self, adapter: Adapter, message: Outgoing, parent_there: Callable[[str], str | None] | None
    ) -> None:
        if not adapter.capabilities.threads:
            pytest.skip("the platform knows no threads")
        first = sent(adapter, message, "contract-part-1")
        second = sent(adapter, replace(message, parent=first.remote_id, link=None), "contract-part-2")
        assert second.remote_id != first.remote_id
        if parent_there:
            assert parent_there(second.remote_id) == first.remote_id

    def test_alt_text_arrives(
        self, adapter: Adapter, message: Outgoing, picture: Media, alts_there: Callable[[str], list[str]] | None
    ) -> None:
        if picture.mime not in adapter.capabilities.media:
            pytest.skip("the platform takes no PNG pictures")
        receipt = sent(adapter, replace(message, media=(picture,)), "contract-alt")
        if alts_there:
            assert alts_there(receipt.remote_id) == [picture.alt]

    # --- refusing ---------------------------------------------------------------------------------------------------

    def test_nothing_to_say_is_refused(self, adapter: Adapter, message: Outgoing) -> None:
        with pytest.raises(Rejected):
            prepared(adapter, replace(message, text="", link=None, media=()))

    def test_hostile_text_meets_a_channel_error_at_most(self, adapter: Adapter, message: Outgoing) -> None:
        hostile = (
            "\x00",
            "half a character \ud83d",
            "\x1b]0;title\x07\u202e[red]",
            "'; DROP TABLE post; --",
            "y" * 60_000,
        )
        for n, text in enumerate(hostile):
            with suppress(ChannelError):  # anything else that is raised fails the test
                assert sent(adapter, replace(message, text=text), f"contract-hostile-{n}").remote_id

    def test_a_parent_that_is_gone_meets_a_channel_error_at_most(self, adapter: Adapter, message: Outgoing) -> None:
        if not adapter.capabilities.threads:
            pytest.skip("the platform knows no threads")
        with suppress(ChannelError):
            assert sent(adapter, replace(message, parent="999999999999"), "contract-orphan").remote_id

    def test_a_medium_that_it_does_not_take_is_refused(
        self, adapter: Adapter, message: Outgoing, picture: Media
    ) -> None:
        odd = replace(picture, mime="application/x-no-such-type")
        with pytest.raises(Rejected) as caught:
            prepared(adapter, replace(message, media=(odd,)))
        assert caught.value.field == "media"

    # --- finding ----------------------------------------------------------------------------------------------------

    def test_what_was_sent_is_found(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        able = finder(adapter)
        ready, receipt = put(adapter, message, "contract-find")
        there = posts_there() if posts_there else None
        wanted = sought(message, ready, "contract-find")
        answers = [able.find(wanted, since=receipt.published_at - MARGIN) for _n in range(2)]
        assert there == (posts_there() if posts_there else None), "asking changes nothing"
        if isinstance(answers[0], CannotTell):
            pytest.skip(f"the platform cannot tell: {answers[0].reason}")
        for answer in answers:
            assert isinstance(answer, Found)
            assert [sighting.remote_id for sighting in answer.sightings] == [receipt.remote_id]
            assert all(sighting.published_at.tzinfo is not None for sighting in answer.sightings)

    def test_what_was_not_sent_is_not_found(self, adapter: Adapter, message: Outgoing) -> None:
        able = finder(adapter)
        _ready, receipt = put(adapter, message, "contract-other")
        other = replace(message, text=f"{message.text} (never sent)")
        wanted = sought(other, prepared(adapter, other), "contract-never")
        assert isinstance(able.find(wanted, since=receipt.published_at - MARGIN), (Absent, CannotTell))

    def test_without_its_key_nothing_is_surely_absent(self, adapter: Adapter, message: Outgoing) -> None:
        """A restored database knows the text, and not the keys: what was sent must not be sent again."""
        able = finder(adapter)
        _ready, receipt = put(adapter, message, "contract-forgotten")
        answer = able.find(sought(message, None, None), since=receipt.published_at - MARGIN)
        assert isinstance(answer, (Found, CannotTell))
        assert not (isinstance(answer, Found) and answer.certain), "only our own id makes it certain"

    def test_a_listing_shows_what_was_sent(self, adapter: Adapter, message: Outgoing) -> None:
        able = finder(adapter)
        one, two = message, replace(message, text=f"{message.text} (2)")
        receipts = [put(adapter, each, f"contract-list-{n}")[1] for n, each in enumerate((one, two))]
        listing = able.listing(receipts[0].published_at - MARGIN)
        assert isinstance(listing, Listing)
        times = [sighting.published_at for sighting in listing.sightings]
        assert times == sorted(times), "the oldest first"
        if not listing.sightings and not listing.complete:
            pytest.skip("the platform lists nothing")
        assert [sighting.remote_id for sighting in listing.sightings] == [receipt.remote_id for receipt in receipts]
        assert alike(able, listing, one) == [True, False]
        assert alike(able, listing, two) == [False, True]

    def test_parts_and_pictures_are_told_apart(self, adapter: Adapter, message: Outgoing, picture: Media) -> None:
        able = finder(adapter)
        if not adapter.capabilities.threads or picture.mime not in adapter.capabilities.media:
            pytest.skip("the platform knows no threads or takes no PNG pictures")
        first = put(adapter, replace(message, media=(picture,)), "contract-tell-1")[1]
        part = replace(message, text="2/2", link=None, parent=first.remote_id)
        second = put(adapter, part, "contract-tell-2")[1]
        listing = able.listing(first.published_at - MARGIN)
        if not listing.sightings and not listing.complete:
            pytest.skip("the platform lists nothing")
        assert [sighting.parent for sighting in listing.sightings] == [None, first.remote_id]
        assert alike(able, listing, replace(message, media=(picture,))) == [True, False]
        assert alike(able, listing, part) == [False, True]
        assert alike(able, listing, replace(part, parent=second.remote_id)) == [False, False]
        if all(sighting.media is not None for sighting in listing.sightings):
            assert [sighting.media for sighting in listing.sightings] == [1, 0]
            assert alike(able, listing, message) == [False, False]

    def test_comparing_touches_nothing(
        self, adapter: Adapter, message: Outgoing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        able = finder(adapter)
        wanted = sought(message, None, None)
        sighting = Sighting("1", None, message.created_at, "something else entirely", None, 0)
        with monkeypatch.context() as patch:
            for place, name in _IO:
                patch.setattr(place, name, _forbidden(name))
            answers = {able.looks_like(wanted, sighting) for _n in range(2)}
        assert answers == {False}

    # --- after publication ------------------------------------------------------------------------------------------

    def test_a_post_is_taken_down_once_and_may_be_again(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        able = remover(adapter)
        before = posts_there() if posts_there else 0
        ready, receipt = put(adapter, message, "contract-delete")
        able.delete(receipt.remote_id)
        able.delete(receipt.remote_id)
        if posts_there:
            assert posts_there() == before
        if isinstance(adapter, Finds):
            answer = adapter.find(sought(message, ready, "contract-delete"), since=receipt.published_at - MARGIN)
            assert not isinstance(answer, Found)
            assert not (isinstance(answer, Absent) and answer.authoritative), (
                "it did arrive, and is not to be sent again"
            )

    def test_taking_down_leaves_the_others(
        self, adapter: Adapter, message: Outgoing, posts_there: Callable[[], int] | None
    ) -> None:
        able = remover(adapter)
        gone, kept = (put(adapter, replace(message, text=text), f"contract-{text}")[1] for text in ("gone", "kept"))
        before = posts_there() if posts_there else 0
        able.delete(gone.remote_id)
        able.delete("999999999999")
        if posts_there:
            assert posts_there() == before - 1
        if isinstance(adapter, Metrics):
            assert list(adapter.post_metrics([gone.remote_id, kept.remote_id])) == [kept.remote_id]

    def test_an_edit_shows(self, adapter: Adapter, message: Outgoing, text_there: Callable[[str], str] | None) -> None:
        able = editor(adapter)
        receipt = put(adapter, message, "contract-edit")[1]
        changed = replace(message, text=f"{message.text} (corrected)")
        able.edit(receipt.remote_id, changed)
        able.edit(receipt.remote_id, changed)
        if text_there:
            assert changed.text in text_there(receipt.remote_id)
        if isinstance(adapter, Finds):
            listing = adapter.listing(receipt.published_at - MARGIN)
            assert listing.sightings or not listing.complete
            assert alike(adapter, listing, changed) == [True] * len(listing.sightings)
            assert not any(alike(adapter, listing, message))

    def test_an_edit_keeps_the_media(
        self,
        adapter: Adapter,
        message: Outgoing,
        picture: Media,
        alts_there: Callable[[str], list[str]] | None,
    ) -> None:
        able = editor(adapter)
        if picture.mime not in adapter.capabilities.media:
            pytest.skip("the platform takes no PNG pictures")
        receipt = put(adapter, replace(message, media=(picture,)), "contract-edit-media")[1]
        able.edit(receipt.remote_id, replace(message, text="Corrigé", media=(picture,)))
        if alts_there:
            assert alts_there(receipt.remote_id) == [picture.alt]

    def test_what_is_not_there_cannot_be_edited(self, adapter: Adapter, message: Outgoing) -> None:
        able = editor(adapter)
        with pytest.raises(Rejected):
            able.edit("999999999999", message)

    def test_hostile_ids_meet_a_channel_error_at_most(self, adapter: Adapter, message: Outgoing) -> None:
        for remote_id in HOSTILE_IDS:
            with suppress(ChannelError):  # anything else that is raised fails the test
                if isinstance(adapter, Deletes):
                    adapter.delete(remote_id)
            with suppress(ChannelError):
                if isinstance(adapter, Edits):
                    adapter.edit(remote_id, message)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def test_metrics_are_numbers_or_unknown(self, adapter: Adapter, message: Outgoing) -> None:
        if not isinstance(adapter, Metrics):
            pytest.skip("the adapter claims no metrics")
        receipt = sent(adapter, message, "contract-metrics")
        numbers = adapter.post_metrics([receipt.remote_id, f"{receipt.remote_id}9999"])
        assert list(numbers) == [receipt.remote_id], "an id that is gone is left out"
        told = asdict(numbers[receipt.remote_id]) | {"followers": adapter.account_metrics().followers}
        assert all(value is None or (isinstance(value, int) and value >= 0) for value in told.values())
        assert any(value is not None for value in told.values()), "something is told"

    def test_close_may_be_called_twice(self, adapter: Adapter) -> None:
        adapter.check()
        adapter.close()
        adapter.close()


def prepared(adapter: Adapter, message: Outgoing) -> Prepared:
    """What `prepare` gives once nothing is pending; what it saves goes through JSON as it does in the engine."""
    saved: dict[str, Any] = {}
    for _n in range(_TRIES):
        answer = adapter.prepare(message, saved)
        if not isinstance(answer, Pending):
            return answer
        assert answer.not_before.tzinfo is not None
        saved = json.loads(json.dumps(answer.saved))
    pytest.fail(f"still pending after {_TRIES} tries")


def stored(ready: Prepared) -> Prepared:
    """The same after a stay in the database."""
    return replace(ready, body=json.loads(json.dumps(ready.body)))


def sent(adapter: Adapter, message: Outgoing, key: str) -> Receipt:
    """Prepare, store, send."""
    return adapter.send(stored(prepared(adapter, message)), key=key)


def put(adapter: Adapter, message: Outgoing, key: str) -> tuple[Prepared, Receipt]:
    """Prepare, store, send; the body is wanted too."""
    ready = stored(prepared(adapter, message))
    return ready, adapter.send(ready, key=key)


def sought(message: Outgoing, ready: Prepared | None, key: str | None) -> Sought:
    """How the engine asks for a message."""
    body = ready.body if ready else None
    return Sought(message.text, message.link, len(message.media), message.role, message.parent, key, body)


def alike(adapter: Finds, listing: Listing, message: Outgoing) -> list[bool]:
    """Which posts of the listing look like the message."""
    wanted = sought(message, None, None)
    return [adapter.looks_like(wanted, sighting) for sighting in listing.sightings]


def finder(adapter: Adapter) -> Finds:
    """The adapter as one that finds, or the test is skipped."""
    return adapter if isinstance(adapter, Finds) else pytest.skip("the adapter claims no finding")


def remover(adapter: Adapter) -> Deletes:
    """The adapter as one that takes down, or the test is skipped."""
    return adapter if isinstance(adapter, Deletes) else pytest.skip("the adapter claims no taking down")


def editor(adapter: Adapter) -> Edits:
    """The adapter as one that edits, or the test is skipped."""
    return adapter if isinstance(adapter, Edits) else pytest.skip("the adapter claims no editing")


def _forbidden(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError(f"building an adapter or asking its identity must not call {name}")

    return refuse
