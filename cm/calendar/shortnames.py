"""What people call a channel when they are in a hurry: `fb`, `x`, the beginning of its name. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from cm.calendar.drafting import unknown_channel
from cm.config import Config
from cm.errors import UsageError
from cm.i18n import _

PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "facebook": ("fb",),
    "x": ("x", "tw", "twitter"),
    "instagram": ("ig", "insta"),
    "linkedin": ("li", "in"),
    "mastodon": ("masto",),
    "bluesky": ("bsky", "bs"),
    "youtube": ("yt",),
    "tiktok": ("tt",),
    "threads": ("th",),
}
"""The usual short names of platforms; a platform's own name is one too."""


def channels_called(config: Config, words: Iterable[str]) -> list[str]:
    """The channels meant by `fb,x` and the like, each once, in the order given.

    Raises as `channel_called`, and UsageError if none is named.
    """
    named = [name.strip() for word in words for name in word.split(",") if name.strip()]
    if not named:
        raise UsageError(_("Where is it to go?"), hint=_("Name the channels: -c facebook,twitter"))
    return list(dict.fromkeys(channel_called(config, name) for name in named))


def channel_called(config: Config, word: str) -> str:
    """The one channel meant: its name, a short name of its platform, or the unique beginning of either.

    Channels that are closed are meant only by their full name, unless nothing else fits.
    Raises NotFound, and UsageError with the candidates where several fit.
    """
    said = word.strip().casefold()
    if word in config.channels or not said:
        return _known(config, word)
    for found in _fitting(config, said):
        candidates = [name for name in found if config.channels[name].state != "closed"] or found
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise UsageError(
                _("{word!r} may be any of: {names}.").format(word=word, names=", ".join(candidates)),
                hint=_("Write the name of the one you mean."),
                details={"candidates": candidates},
            )
    return _known(config, word)


def _known(config: Config, name: str) -> str:
    if name not in config.channels:
        raise unknown_channel(config, name)
    return name


def _fitting(config: Config, said: str) -> Iterator[list[str]]:
    """Channels by name, by a name of their platform, by the beginning of one; the surest first."""
    yield [name for name in config.channels if name.casefold() == said]
    names = {name: _platform_names(channel.platform) for name, channel in config.channels.items()}
    yield [name for name, short in names.items() if said in short]
    yield [name for name, short in names.items() if any(known.startswith(said) for known in (name, *short))]


def _platform_names(platform: str) -> tuple[str, ...]:
    return (platform, *PLATFORMS.get(platform, ()))
