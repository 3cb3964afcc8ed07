"""A channel's login as it is stored: read, renewed under a lock, saved before it is used.

A stored text that is a JSON object is a whole login (`access_token`, `refresh_token`, `expires_at`…); any other text
is a token that stands alone. Platforms give a refresh token that dies when it is used: whoever renews must be alone,
and what comes back must be on the disk before anybody uses it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from cm.clock import Clock
from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _
from cm.secrets.places import Place, PrivateFile, place_of

TOKENS = ".cm/tokens"
WAIT = 90.0
"""Seconds to wait for another program that renews the same login: longer than any platform takes to answer."""
ROOM = 16 * 1024
"""Characters that there must be room for before a login is renewed."""
LONGEST = timedelta(days=3650)
"""No login lasts longer, whatever a platform says."""

Values = Mapping[str, str]


def token_file(root: Path, channel: str) -> Path:
    """Where the login of a channel is kept whose configuration names no place."""
    return root / TOKENS / f"{channel}.json"


class Login:
    """What is stored for one channel; fulfils `cm.channels.port.Credentials`."""

    def __init__(self, channel: str, reference: str | None, root: Path, clock: Clock) -> None:
        """`reference`: as `token:` of the channel; None: the default file."""
        self.channel = channel
        self._clock = clock
        self._declared = reference is not None
        self.place: Place = (
            place_of(reference, root)
            if reference is not None
            else PrivateFile(f"file:{TOKENS}/{channel}.json", token_file(root, channel), optional=True)
        )

    def token(self) -> str | None:
        """The token alone; None without any. Raises WorkspaceError where the reference leads nowhere."""
        return self.read().get("access_token")

    def read(self) -> Values:
        """As stored; empty without any. Raises WorkspaceError where the reference leads nowhere."""
        text = self.place.read()
        if not text and self._declared:
            raise WorkspaceError(
                _("The secret {reference} is empty.").format(reference=self.place.reference),
                hint=_("Put the token there."),
            )
        return self._values(text)

    def usable(self) -> Values:
        """As `read`, but empty where nothing is kept that could be used: for whoever is about to replace it."""
        try:
            return self.read()
        except WorkspaceError:
            return {}

    def fresh(self, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
        """As `read`; one that ends within `margin` seconds is renewed and saved first, by one program alone.

        Raises WorkspaceError, or what `renew` raises; then the store is as it was.
        """
        values = self.read()
        if not self._ends_within(values, margin):
            return values
        with self._alone():
            values = self.read()  # another program may have been here meanwhile
            if not self._ends_within(values, margin):
                return values
            self.place.prove("x" * ROOM)  # what cannot be kept must not be asked for: the old token would be dead
            before = self._clock.now()
            values = merged(values, renew(values), before)
            self.place.save(json.dumps(values))
            return values

    def store(self, values: Values) -> None:
        """Keep a new login in the place of the one before. Raises WorkspaceError."""
        with self._alone():
            self.place.save(json.dumps(merged({}, values, self._clock.now())))

    def forget(self) -> None:
        """Delete what is stored. Raises WorkspaceError where cm cannot."""
        with self._alone():
            self.place.forget()

    def _values(self, text: str) -> Values:
        if not text.startswith("{"):
            return {"access_token": text} if text else {}
        try:
            stored = json.loads(text)
            return {str(name): _text(value) for name, value in stored.items() if value is not None}
        except (ValueError, TypeError, RecursionError):  # their own words would quote it
            raise WorkspaceError(
                _("What is stored as {reference} is no login that can be read.").format(reference=self.place.reference),
                hint=_("Log in again: cm channel login {name}").format(name=self.channel),
            ) from None

    def _ends_within(self, values: Values, seconds: float) -> bool:
        if not values.get("expires_at"):
            return False
        try:
            ends = datetime.fromisoformat(values["expires_at"])
        except ValueError:
            raise WorkspaceError(
                _("`expires_at` of what is stored as {reference} is no time.").format(reference=self.place.reference),
                hint=_("Write it as 2026-12-31T00:00:00Z."),
            ) from None
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
        return (ends - self._clock.now()).total_seconds() < seconds

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock that every program takes before it changes this login. Raises WorkspaceError."""
        path = self.place.lock
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(path, timeout=WAIT, mode=0o600)
            lock.acquire()
        except Timeout:
            raise WorkspaceError(
                _("Another program has been renewing the login of {name} for too long.").format(name=self.channel),
                hint=_("Look for it by: fuser -v {path}").format(path=path),
            ) from None
        except OSError as error:
            raise WorkspaceError(
                _("The lock {path} cannot be had: {error}").format(path=path, error=trouble(error)),
                hint=_("The login is not renewed until its folder can be written."),
            ) from None
        try:
            yield
        finally:
            lock.release()


def merged(stored: Values, changed: Values, now: datetime) -> Values:
    """The login with what has changed; lifetimes (`…expires_in`, seconds from `now`) become instants (`…expires_at`).

    A new token that does not say when it ends takes over no other's end. Pure.
    """
    values = dict(stored)
    for token, ends in (("access_token", "expires_at"), ("refresh_token", "refresh_token_expires_at")):
        if changed.get(token):
            values.pop(ends, None)
    for name, value in changed.items():
        if name.endswith("expires_in"):
            if (instant := _after(now, value)) is not None:
                values[f"{name.removesuffix('in')}at"] = instant
        else:
            values[name] = value
    return values


def _after(now: datetime, seconds: str) -> str | None:
    """None for what is no lifetime: some platforms write 0 for a token that never ends."""
    try:
        lasting = timedelta(seconds=min(max(float(seconds), 0), LONGEST.total_seconds()))
    except ValueError:
        return None
    return (now + lasting).isoformat() if lasting > timedelta(0) else None


def _text(value: object) -> str:
    """Raises TypeError for what is neither text nor number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    return str(value)
