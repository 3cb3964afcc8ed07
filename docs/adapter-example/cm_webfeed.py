"""An adapter of another package: a channel that is an Atom feed (RFC 4287), a file that the web site's server shows.

An entry's id is made of the idempotency key, so that a message sent again is recognised, and a look-up by key is
certain. What is taken down leaves a tombstone (RFC 6721): it did arrive, and must not be sent again.
"""

import os
import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    Absent,
    AccountInfo,
    CannotTell,
    Capabilities,
    Context,
    Found,
    Identity,
    Json,
    Limits,
    Listing,
    Outgoing,
    Prepared,
    Receipt,
    Rejected,
    Retryable,
    Sighting,
    Sought,
)
from cm.channels.text import refuse_unsendable, same_words, with_link
from pydantic import BaseModel, ConfigDict

ATOM, TOMBSTONE = "{http://www.w3.org/2005/Atom}", "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Settings(BaseModel):
    """The block `settings:` of the channel in config.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    """The feed, seen from the workspace."""
    site: str
    """The page on which the feed is shown."""


class WebFeed:
    """Publishes entries of one feed."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="webfeed",
        threads=False,
        comments=False,
        limits=Limits(source="RFC 4287", read_on=date(2026, 11, 22)),
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._file = context.workspace / context.settings.file
        self._site = context.settings.site
        self._account = context.account

    def identity(self) -> Identity:
        """The feed by site and file."""
        return Identity("webfeed", urlsplit(self._site).netloc, self._account)

    def check(self) -> AccountInfo:
        """Can the feed be written? Raises Retryable."""
        self._read()
        if not os.access(self._file.parent, os.W_OK):
            raise Retryable(f"{self._file.parent} cannot be written")
        return AccountInfo(self._site, self._account, KEY_WINDOW_UNLIMITED)

    def prepare(self, message: Outgoing, saved: Json) -> Prepared:
        """The entry. Raises Rejected for what no feed can hold."""
        refuse_unsendable(message, self.capabilities)
        if NOT_XML.search(message.text):
            raise Rejected("The text holds control characters.", field="text")
        text, at = with_link(message.text, message.link), message.created_at.astimezone(UTC)
        return Prepared({"text": text, "language": message.language, "at": at.isoformat()})

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Add the entry; the same key gives the same entry. Raises Retryable if the file cannot be written."""
        feed, remote_id = self._read(), _id(key)
        known = next((one for one in _sightings(feed) if one.remote_id == remote_id), None)
        if known is None:
            feed.append(self._entry(prepared.body, remote_id))
            self._write(feed)
        return Receipt(remote_id, self._permalink(remote_id), datetime.fromisoformat(prepared.body["at"]))

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """By key, which is certain; without one by the words. Raises Retryable."""
        feed = self._read()
        if sought.key is None:
            alike = tuple(one for one in _sightings(feed) if self.looks_like(sought, one) and one.published_at >= since)
            return Found(alike) if alike else CannotTell("The feed is asked for it without its key.")
        if any(stone.get("ref") == _id(sought.key) for stone in feed.iter(TOMBSTONE)):
            return CannotTell("It was there, and was taken down.")
        found = tuple(one for one in _sightings(feed) if one.remote_id == _id(sought.key))
        return Found(found, certain=True) if found else Absent(authoritative=True)

    def listing(self, since: datetime) -> Listing:
        """Every entry since then, the oldest first. Raises Retryable."""
        found = [one for one in _sightings(self._read()) if one.published_at >= since]
        return Listing(tuple(sorted(found, key=lambda one: one.published_at)), complete=True)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """The same words; pure."""
        text = sought.body["text"] if sought.body else with_link(sought.text, sought.link)
        return same_words(text, sighting.text) and not sought.media

    def delete(self, remote_id: str) -> None:
        """Put a tombstone in the entry's place. Raises Retryable if the file cannot be written."""
        feed = self._read()
        for entry in feed.findall(f"{ATOM}entry"):
            if entry.findtext(f"{ATOM}id") == remote_id:
                when = entry.findtext(f"{ATOM}published", "")
                feed.remove(entry)
                feed.append(ET.Element(TOMBSTONE, {"ref": remote_id, "when": when}))
                self._write(feed)

    def close(self) -> None:
        """Nothing is open."""

    def _entry(self, body: Json, remote_id: str) -> ET.Element:
        entry = ET.Element(f"{ATOM}entry", {"{http://www.w3.org/XML/1998/namespace}lang": body["language"]})
        told = {"id": remote_id, "title": body["text"].split("\n")[0][:100], "content": body["text"]}
        for name, text in (told | {"published": body["at"], "updated": body["at"]}).items():
            ET.SubElement(entry, f"{ATOM}{name}").text = text
        return entry

    def _permalink(self, remote_id: str) -> str:
        return f"{self._site}#{quote(remote_id, safe='')}"

    def _read(self) -> ET.Element:
        try:
            return ET.parse(self._file).getroot()
        except FileNotFoundError:
            return ET.Element(f"{ATOM}feed")
        except (OSError, ET.ParseError) as error:
            raise Retryable(f"{self._file} cannot be read: {error}") from None

    def _write(self, feed: ET.Element) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            ET.ElementTree(feed).write(fresh, encoding="utf-8", xml_declaration=True)
            fresh.replace(self._file)
        except OSError as error:
            raise Retryable(f"{self._file} cannot be written: {error}") from None


def _id(key: str) -> str:
    return f"urn:x-cm:{quote(key, safe='')}"


def _sightings(feed: ET.Element) -> list[Sighting]:
    """The entries as the port tells them."""
    return [
        Sighting(
            entry.findtext(f"{ATOM}id", ""),
            None,
            datetime.fromisoformat(entry.findtext(f"{ATOM}published", "")),
            entry.findtext(f"{ATOM}content", ""),
            media=0,
        )
        for entry in feed.findall(f"{ATOM}entry")
    ]
