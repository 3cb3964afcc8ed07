"""Where Meta fetches media: Instagram takes no picture by upload, only from an address that anybody can open.

`public_media` stands for the workspace's folder `media/`, of which only `media/sent/` is to be shown: pictures go out
from there, without place and author, under names that nobody guesses, while `media/` holds the originals. (A film that
Meta fetches stands in `media/` itself.) Nothing is copied here: that is the institution's to arrange, and a file that
stands there can be seen before its post is published.
"""

from pathlib import Path
from urllib.parse import quote, urlsplit

from cm.channels.media import opened
from cm.channels.port import Media, Rejected
from cm.i18n import _


def public_url(value: str) -> str:
    """An address under which files stand, with a slash at its end.

    Raises ValueError: not https, no host, or with a login, a query or a fragment.
    """
    parts = urlsplit(value.strip())
    if parts.scheme != "https" or not parts.hostname or "." not in parts.hostname:
        raise ValueError(_("must be an address that anybody can open, as https://www.hospital.example/cm-media/"))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(_("write an address without login, `?` and `#`, as https://www.hospital.example/cm-media/"))
    return value.strip().rstrip("/") + "/"


class Public:
    """The address of files of `media/`."""

    def __init__(self, workspace: Path, base: str | None) -> None:
        self._media, self._base = workspace / "media", base

    def address(self, media: Media) -> str:
        """Where the file stands for everybody. Raises Rejected: there is no such place, or the file has changed."""
        if self._base is None:
            reason = _(
                "Instagram takes this file only from a public address: set `public_media: https://…` in the channel's"
                " settings, the address that stands for the workspace's folder media/; your web server is to show only"
                " media/sent/ there, never the originals."
            )
            raise Rejected(reason, field="media")
        try:
            relative = media.path.relative_to(self._media)
        except ValueError:
            reason = _("The file {name} does not stand in the workspace's folder media/, which `public_media` shows.")
            raise Rejected(reason.format(name=media.path.name), field="media") from None
        with opened(media):
            return self._base + quote(relative.as_posix())
