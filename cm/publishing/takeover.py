"""Which accounts would this copy of the workspace take over by `cm db reconcile`? Asked before it does: read-only,
and no platform is asked."""

from collections.abc import Callable, Sequence

from cm.channels.port import Adapter
from cm.env import Env
from cm.errors import WorkspaceError
from cm.model.tables import Account
from cm.publishing import ownership
from cm.publishing.account_lock import Standing
from cm.publishing.accounts import Work
from cm.publishing.reconcile import works

TAKEN = (Standing.BEHIND, Standing.NO_MEMORY)
"""After the look this database has the highest number: whatever copy was in front before is behind from then on."""


def taken_over(env: Env, adapter_of: Callable[[str], Adapter], channels: Sequence[str]) -> list[str]:
    """The channels that this copy does not publish for as things stand, and would afterwards.

    Accounts that cannot be judged, or are refused in any case, are left to `reconcile`, which tells why.
    """
    found = []
    for work, _failed in works(env, adapter_of, channels):
        if isinstance(work, Work) and _standing(env, work) in TAKEN:
            found.append(work.channel)
    return found


def _standing(env: Env, work: Work) -> Standing | None:
    lock = ownership.lock_of(env, work)
    try:
        with env.store.read() as session:
            ownership.require_same_user(session.get_one(Account, work.account_id), work, lock.path)
            return ownership.standing_of(session, env, work, lock)
    except WorkspaceError:
        return None
