"""Logging in with an app password, which a person makes on the site and may take back there at any time.

The account's own password is not taken: an app password has the shape `xxxx-xxxx-xxxx-xxxx` and cannot change the
account's address or delete it. It is used once and not kept; what is kept is the session (see `session`). The server
allows 30 logins in five minutes and 300 a day for an account.
"""

import re
from collections.abc import Sequence

from cm.channels.bluesky.errors import refusal
from cm.channels.bluesky.session import Session, home, stored
from cm.channels.port import Ask, AuthFailed, Rejected, Values
from cm.channels.text import shown
from cm.i18n import _

_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}")
_HANDLE = re.compile(r"[A-Za-z0-9._:@+-]+")  # or an e-mail address


def asks(handle: str) -> Sequence[Ask]:
    """What a person must give."""
    return (
        Ask("handle", _("Handle or e-mail address"), hint=_("empty: {handle}").format(handle=handle), optional=True),
        Ask(
            "password",
            _("App password"),
            secret=True,
            hint=_("make one on bsky.app: Settings → Privacy and security → App passwords"),
        ),
    )


def opened(session: Session, given: Values, handle: str) -> Values:
    """A new session of that account. Raises AuthFailed, Rejected for what is no handle or app password, Retryable."""
    name, password = given.get("handle", "").strip().lstrip("@") or handle, given.get("password", "").strip()
    if not _HANDLE.fullmatch(name):
        raise Rejected(_("{name!r} is no handle.").format(name=shown(name, 60)), field="handle")
    if not _APP_PASSWORD.fullmatch(password):
        reason = _("An app password looks like xxxx-xxxx-xxxx-xxxx; the account's own password is not taken.")
        raise Rejected(reason, field="password")
    body = {"identifier": name, "password": password}
    reply = session.open(session.http.base_url, "com.atproto.server.createSession", body)
    if reply.status >= 400:
        raise refusal(session.http, reply)
    values = stored(session.http, reply)
    if values["handle"].casefold() != handle:
        closed(session, values)
        reason = _("{server}: this is the login of @{actual}, the channel is @{configured}.")
        actual = shown(values["handle"], 60)
        raise AuthFailed(reason.format(server=session.http.name, actual=actual, configured=handle))
    return values


def closed(session: Session, values: Values) -> None:
    """End the session there; one that is gone already is a success. Raises ChannelError."""
    token = values.get("refresh_token", "")
    if not token:
        return
    reply = session.open(home(values, session.http.base_url), "com.atproto.server.deleteSession", token=token)
    if reply.status >= 400 and not isinstance(error := refusal(session.http, reply), AuthFailed):
        raise error
