"""What the checks said, kept by content and rule pack, so that nothing slow runs under the write lock."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from cm.calendar.drafting import check
from cm.checks.content import content_hash, digest
from cm.checks.rules import PACK, error_findings
from cm.env import Env
from cm.i18n import _
from cm.model.facts import PostContent
from cm.model.tables import Checked
from cm.publishing.journal import Dossier


def _key(env: Env, content: PostContent) -> str:
    """A hash over all that the rules look at: the content, and what the configuration asks of it."""
    channel = env.config.channels.get(content.channel)
    asked = [env.config.required_fields.get(content.kind), channel.audiences if channel else ()]
    return digest([content_hash(content), content.kind, content.fields, content.link, content.audiences, *asked])


def ensure(env: Env, waiting: Sequence[Dossier]) -> None:
    """Check what has not been checked under this rule pack, and keep the results."""
    contents = {_key(env, dossier.content): dossier.content for dossier in waiting}
    with env.store.read() as session:
        known = _known(session, list(contents))
    new = {key: check(env.config, content) for key, content in contents.items() if key not in known}
    if not new:
        return
    with env.store.write() as session:
        for key, found in new.items():
            row = Checked(
                subject=key,
                pack=PACK,
                errors=len(error_findings(found)),
                findings=[finding.as_json() for finding in found],
                checked_at=env.now,
            )
            session.merge(row)


def _known(session: Session, keys: Sequence[str]) -> Mapping[str, Checked]:
    rows = session.exec(select(Checked).where(col(Checked.subject).in_(keys), Checked.pack == PACK)).all()
    return {row.subject: row for row in rows}


def is_checked(session: Session, env: Env, content: PostContent) -> bool:
    """True if there is a stored result for this content under this rule pack."""
    return bool(_known(session, [_key(env, content)]))


def error_of(session: Session, env: Env, content: PostContent) -> str | None:
    """Why this content may not go out, by the stored results; None if it may."""
    found = _known(session, [_key(env, content)])
    if not found:
        return _("it has not been checked yet")
    errors = [finding["reason"] for row in found.values() for finding in row.findings if finding["severity"] == "error"]
    return " ".join(errors) or None
