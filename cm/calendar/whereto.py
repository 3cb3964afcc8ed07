"""What is known of the platform that a channel is on."""

from cm.channels.platforms import Platform, platform
from cm.env import Env


def platform_of(env: Env, channel: str) -> Platform | None:
    """What is known of the platform that a channel is on, with what was measured of its account; None if nothing is."""
    declared = env.config.channels.get(channel)
    known = platform(declared.platform, declared.adapter_name) if declared else None
    measured = env.measured.get(channel)
    return known.for_account(measured) if known and measured else known
