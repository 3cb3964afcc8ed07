"""One examination. Each part looks for itself: what cannot be opened is a finding, and the rest is examined."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from cm import config as configuration
from cm import i18n
from cm.clock import SystemClock
from cm.config import Config
from cm.errors import CmError, ConfigError, WorkspaceError
from cm.formats import clock, day_short
from cm.i18n import _
from cm.publishing import health, health_posts
from cm.publishing.health import ClockFacts, EngineFacts, Finding, SecretFacts
from cm.publishing.vitals import Vitals, vitals
from cm.secrets import reveal, token_file
from cm.store import condition, tick
from cm.store.run_lock import daemon_pid
from cm.workspace import Workspace, check_config, is_simulated, login_of, open_workspace


def examine(root: Path, *, online: bool = False) -> list[Finding]:
    """Everything about the workspace at `root`, in the order in which it is told; `online`: platforms are asked."""
    now = SystemClock().now()
    config = _config(root)
    real = config is not None and any(
        channel.state != "closed" and not is_simulated(config, name) for name, channel in config.channels.items()
    )
    file = condition.look(root)
    found = [
        *health.of_config(check_config(root)),
        *health.of_secrets(_secrets(root, config) if config else []),
        *health.of_database(file, now, real=real),
        *health.of_engine(EngineFacts(tick.silent_for(str(root), now.timestamp()), daemon_pid(root), real)),
        *_inside(root, config, file, now, online=online),
    ]
    return health.in_order(found)


def _config(root: Path) -> Config | None:
    try:
        config = configuration.load(root)
    except ConfigError:
        return None  # `check_config` names its faults
    i18n.speak_as_configured(config.language)
    return config


def _secrets(root: Path, config: Config) -> list[SecretFacts]:
    """Every secret that the configuration refers to, and what is kept of logins in the workspace."""
    found = [_secret(root, config, reference, used_by) for reference, used_by in config.secrets()]
    for name, channel in config.channels.items():
        path = token_file(root, name)
        if channel.token is None and channel.state != "closed" and path.exists():
            found.append(_secret(root, config, str(path.relative_to(root)), name))
    return found


def _secret(root: Path, config: Config, reference: str, used_by: str) -> SecretFacts:
    try:
        if used_by in config.channels:
            login_of(root, config, used_by, SystemClock()).read()
        else:
            reveal(reference, root)
    except WorkspaceError as error:
        return SecretFacts(reference, used_by, error.message, error.hint)
    return SecretFacts(reference, used_by)


def _inside(
    root: Path, config: Config | None, file: condition.Condition, now: datetime, *, online: bool
) -> list[Finding]:
    """What the database knows, if it can be opened."""
    if config is None or not file.exists or file.damage or file.schema != tick.SCHEMA_VERSION:
        return [_unseen(_("configuration or database must be mended first"))]
    try:
        opened = open_workspace(root, as_system=True)
        try:
            return list(_judged(opened, now, online=online))
        finally:
            opened.close()
    except (CmError, SQLAlchemyError) as error:
        said = error.message if isinstance(error, CmError) else str(getattr(error, "orig", error))
        return [_unseen(said)]


def _unseen(why: str) -> Finding:
    said = _("Posts, pauses and channels could not be looked at: {why}").format(why=why)
    return Finding("posts", "posts.unseen", "problem", said, "cm doctor", health.WORKSPACE)


def _judged(opened: Workspace, now: datetime, *, online: bool) -> Iterator[Finding]:
    found = vitals(opened.env, opened.adapter, online=online)
    yield from health.of_clock(_clock(opened, found, now))
    yield from health_posts.of_posts(found.posts, now)
    yield from health_posts.of_pauses(found.rests, found.holds)
    yield from health_posts.of_state_files(found.files)
    yield from health_posts.of_channels(found.channels, now)


def _clock(opened: Workspace, found: Vitals, now: datetime) -> ClockFacts:
    local, beat = now.astimezone(opened.env.zone), tick.last_beat(opened.root)
    ahead = (datetime.fromtimestamp(beat, UTC) - now).total_seconds() if beat is not None else 0
    return ClockFacts(f"{day_short(local)} {clock(local)}", opened.config.timezone, found.ahead, max(ahead, 0))
