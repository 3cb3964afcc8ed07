"""Who is acting: the `people:` entry whose login is the OS user, or the one named by `--as` / CM_ACTOR.

The real OS user is kept beside it: this proves who was logged in, not who sat there. Cron is `system`,
which never approves anything.
"""

import getpass
import os
from dataclasses import dataclass

from cm.config import Config
from cm.errors import UsageError
from cm.i18n import _

SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Somebody acting. `key` is their entry in `people:`; for a login without entry it is the login, `known` False."""

    key: str
    name: str
    os_user: str
    roles: tuple[str, ...] = ()
    known: bool = True


def os_user() -> str:
    """The login behind this process; the one who called sudo, if that is how it was started."""
    sudo = os.environ.get("SUDO_USER")
    return sudo if sudo and sudo != "root" else getpass.getuser()


def system() -> Actor:
    """Cron or the daemon."""
    return Actor(SYSTEM, SYSTEM, os_user())


def current(config: Config, named: str | None = None) -> Actor:
    """The actor of this command; `named` is `--as`. Raises UsageError if that names nobody."""
    login = os_user()
    wanted = named or os.environ.get("CM_ACTOR")
    if wanted:
        if wanted not in config.people:
            raise UsageError(
                _("{name!r} is nobody of `people:`.").format(name=wanted),
                hint=_("Use one of: {names}.").format(names=", ".join(config.people) or "–"),
            )
        return _person(config, wanted, login)
    for key, person in config.people.items():
        if login in person.logins:
            return _person(config, key, login)
    return Actor(login, login, login, known=False)


def _person(config: Config, key: str, login: str) -> Actor:
    person = config.people[key]
    return Actor(key, person.name, login, person.roles)
