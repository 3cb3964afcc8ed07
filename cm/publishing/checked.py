"""What the checks said, kept by content and rule pack, so that nothing slow runs under the write lock."""

from collections.abc import Mapping, Sequence
from typing import cast

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import check
from cm.calendar.sql import CHECKED
from cm.calendar.whereto import platform_of
from cm.checks.content import digest
from cm.checks.rules import PACK, error_findings
from cm.env import Env
from cm.i18n import _
from cm.model.tables import Checked
from cm.publishing.accounts import Work
from cm.publishing.journal import Dossier

REMEMBERED = 500
"""So many results one run keeps at hand for an account."""


def _key(env: Env, dossier: Dossier) -> str:
    """A hash over all that the rules look at: the content, and what the configuration asks of it."""
    content = dossier.content
    channel = env.config.channels.get(content.channel)
    served = channel.audiences if channel else ()
    platform = platform_of(env, content.channel)
    taken = repr((platform.limits, platform.measured, channel and channel.adapter_name)) if platform else ""
    asked = [env.config.required_fields.get(content.kind), served, env.config.internal_audiences, taken]
    return digest([dossier.content_hash, content.kind, content.fields, content.link, content.audiences, *asked])


def ensure(env: Env, waiting: Sequence[Dossier]) -> None:
    """Check what has not been checked under this rule pack, and keep the results."""
    contents = {_key(env, dossier): dossier.content for dossier in waiting}
    with env.store.read() as session:
        known = _known(session, list(contents))
    new = {key: check(env, content) for key, content in contents.items() if key not in known}
    if not new:
        return
    with env.store.write() as session:
        others = _known(session, list(new))  # another run may have been here meanwhile
        rows = [
            {
                "subject": key,
                "pack": PACK,
                "errors": len(error_findings(found)),
                "findings": [finding.as_json() for finding in found],
                "checked_at": env.now,
            }
            for key, found in new.items()
            if key not in others
        ]
        if rows:
            session.execute(sa.insert(CHECKED), rows)


_RESULTS = sa.select(CHECKED).where(
    CHECKED.c.subject.in_(sa.bindparam("subjects", expanding=True)), CHECKED.c.pack == sa.bindparam("pack")
)


def _known(session: Session, keys: Sequence[str]) -> Mapping[str, Checked]:
    rows = session.execute(_RESULTS, {"subjects": keys, "pack": PACK})
    return {row.subject: cast(Checked, row) for row in rows}


def is_checked(session: Session, env: Env, work: Work, dossier: Dossier) -> bool:
    """True if there is a stored result for this content under this rule pack."""
    return _asked(session, env, work, dossier) is not None


def error_of(session: Session, env: Env, work: Work, dossier: Dossier) -> str | None:
    """Why this content may not go out, by the stored results; None if it may."""
    found = _asked(session, env, work, dossier)
    return _("it has not been checked yet") if found is None else found or None


def _asked(session: Session, env: Env, work: Work, dossier: Dossier) -> str | None:
    """The stored errors, empty if there are none; None without a result. The same content under the same
    configuration has the same result, so that a run asks once."""
    key = _key(env, dossier)
    if key not in work.checked:
        found = _known(session, [key])
        if not found:
            return None
        if len(work.checked) >= REMEMBERED:
            work.checked.clear()
        wrong = [one["reason"] for row in found.values() for one in row.findings if one["severity"] == "error"]
        work.checked[key] = " ".join(wrong)
    return work.checked[key]
