"""Messages as folders of files that a person pastes, for platforms that cm cannot or may not speak to.

A message becomes `<folder>/<UTC time>-<channel>-<post>-<part>-<key>/` with `post.txt` (exactly the text to paste, link
included), its media as `1.jpg`, `2.png`… each with its alt text in `1.alt.txt`, and `about.txt` (where it
goes). It appears all at once; the same key always means the same folder. Nothing of the text is
interpreted, no name of a file comes from it.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels import media as files
from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    AccountInfo,
    Capabilities,
    Context,
    Identity,
    Json,
    Media,
    Outgoing,
    Prepared,
    Receipt,
    Rejected,
    Retryable,
)
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.formats import trouble
from cm.i18n import _

POST, ABOUT = "post.txt", "about.txt"


class Settings(BaseModel):
    """Where the files go."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    folder: str = Field("outbox", examples=["outbox"])
    """Folder inside the workspace; it is made when it is needed."""

    @field_validator("folder")
    @classmethod
    def _inside(cls, folder: str) -> str:
        path = PurePosixPath(folder)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in folder:
            raise ValueError(_("must be a folder inside the workspace, as outbox or outbox/instagram"))
        return str(path)


class OutboxAdapter:
    """Hands messages over as files. They count as published when somebody confirms it."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="outbox",
        delivery="person",
        threads=True,
        comments=True,
        media=tuple(sorted(files.ENDINGS)),
        max_media=20,
        key_window=KEY_WINDOW_UNLIMITED,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._context = context
        self._settings = context.settings

    def identity(self) -> Identity:
        """The account; the folder and the platform it is pasted into stand in for the host."""
        return Identity("outbox", f"{self._settings.folder}/{self._context.platform}", self._context.account)

    def check(self) -> AccountInfo:
        """Makes sure that the folder can be written. Raises Retryable if not, Rejected if it leads elsewhere."""
        with _trouble_with_disk():
            tempfile.TemporaryFile(dir=self._folder()).close()
        return AccountInfo(
            remote_id=f"{self._settings.folder}/{self._context.platform}:{self._context.account}",
            handle=self._context.account,
            key_window=KEY_WINDOW_UNLIMITED,
            software="outbox",
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared:
        """The content of the files. Raises Rejected: nothing to send, a medium that is gone or changed."""
        refuse_unsendable(message, self.capabilities)
        for media in message.media:
            with files.opened(media):
                pass
        return Prepared(
            {
                "created_at": message.created_at.astimezone(UTC).isoformat(),
                "label": message.label,
                "text": with_link(message.text, message.link),
                "language": message.language,
                "role": message.role,
                "parent": message.parent,
                "media": [
                    {"path": str(m.path), "mime": m.mime, "sha256": m.sha256, "alt": m.alt} for m in message.media
                ],
            }
        )

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Write the files, or find them already there under that key.

        `published_at` is the time at which the message was made for handing over. Raises Retryable for
        trouble with the disk (nothing has appeared then), Rejected for a medium that is gone or changed.
        """
        created_at = datetime.fromisoformat(prepared.body["created_at"])
        with _trouble_with_disk():
            folder = self._folder()
            target = folder / self._name(created_at, prepared.body["label"], key)
            if not target.is_dir():
                self._put(prepared.body, target)
        remote_id = f"{self._settings.folder}/{target.name}"
        return Receipt(remote_id, target.as_uri(), created_at)

    def close(self) -> None:
        """Nothing is held open."""

    def _folder(self) -> Path:
        """The folder, made if it is missing. Raises Rejected if it lies outside the workspace (a link, say)."""
        root = self._context.workspace.resolve()
        folder = (root / self._settings.folder).resolve()
        if folder == root or not folder.is_relative_to(root):
            raise Rejected(_("The folder {folder} lies outside the workspace.").format(folder=self._settings.folder))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _name(self, created_at: datetime, label: str, key: str) -> str:
        """Time, channel and post, so that a listing shows them in the order in which they are pasted."""
        called = re.sub(r"[^a-z0-9_-]", "-", f"{self._context.channel}-{label}".lower()).strip("-")
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{created_at:%Y%m%dT%H%M%SZ}-{called}-{digest}"

    def _put(self, body: Json, target: Path) -> None:
        """Write all files beside the target, then give them its name in one step."""
        unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unfinished-"))
        try:
            _write(unfinished / POST, body["text"])
            _write(unfinished / ABOUT, self._about(body))
            _write_media(unfinished, [Media(Path(m["path"]), m["mime"], m["sha256"], m["alt"]) for m in body["media"]])
            _sync(unfinished)
            if not target.is_dir():  # another process may have been quicker; its files are the same
                unfinished.rename(target)
            _sync(target.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _about(self, body: Json) -> str:
        """Where it goes, one fact a line; values are made fit for a terminal."""
        context = self._context
        post, _dash, part = body["label"].rpartition("-")
        facts = {
            _("post"): post,
            _("part"): part,
            _("channel"): context.channel,
            _("platform"): context.platform,
            _("account"): context.account,
            _("role"): body["role"],
            _("answers"): body["parent"] or "",
            _("language"): body["language"],
            _("when it is out"): f"cm post confirm {post} --url ADDRESS" if post else "",
        }
        return "".join(f"{name}: {shown(value)}\n" for name, value in facts.items() if value)


def _write_media(folder: Path, media: list[Media]) -> None:
    for n, item in enumerate(media, start=1):
        with _new(folder / f"{n}{files.ending(item.mime)}") as file:
            files.copy(item, file)
        if item.alt:
            _write(folder / f"{n}.alt.txt", item.alt)


def _write(path: Path, text: str) -> None:
    with _new(path) as file:
        file.write(text.encode())


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone, on the disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _trouble_with_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _("The outbox cannot be written: {error}").format(error=trouble(error))
        raise Retryable(reason) from error
