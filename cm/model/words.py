"""What people call the states, severities, kinds and levels that programs know by keys."""

from cm.errors import UsageError
from cm.formats import plural
from cm.i18n import N_, _, pgettext

_CHANNEL_STATES = {
    "active": lambda: pgettext("channel", "active"),
    "planned": lambda: pgettext("channel", "planned"),
    "closed": lambda: pgettext("channel", "closed"),
}
_SEVERITIES = {"error": N_("error"), "warning": N_("warning"), "info": N_("info")}
_KINDS = {
    "announcement": N_("announcement"),
    "press_release": N_("press_release"),
    "conversation": N_("conversation"),
    "event": N_("event"),
    "quiz": N_("quiz"),
    "backstage": N_("backstage"),
    "press_relay": N_("press_relay"),
    "own_programme": N_("own_programme"),
    "testimony": N_("testimony"),
    "recruitment": N_("recruitment"),
    "prevention": N_("prevention"),
    "thanks": N_("thanks"),
    "crisis": N_("crisis"),
}

_MOTIVES = {
    "error": N_("error in the text"),
    "privacy": N_("personal data"),
    "consent": N_("consent missing or withdrawn"),
    "patient_safety": N_("patients' safety"),
    "legal": N_("unlawful content"),
    "copyright": N_("copyright or right to one's image"),
    "crisis": N_("out of place in a crisis"),
    "outdated": N_("out of date"),
    "duplicate": N_("published twice"),
    "other": N_("another reason"),
}
MOTIVES = tuple(_MOTIVES)
"""The closed list of motives, without one of which nothing is taken down; `other` asks for a note."""

_LEVELS = {
    "service": N_("service"),
    "establishment": N_("establishment"),
    "group": N_("group"),
    "patients": N_("patients"),
    "professionals": N_("professionals"),
}


def state_word(state: str, n: int = 1) -> str:
    """A post's state, as said of `n` posts: `missed`; `manquée`, `manquées`."""
    words = {
        "draft": plural("draft", "draft", n),
        "scheduled": plural("scheduled", "scheduled", n),
        "publishing": plural("publishing", "publishing", n),
        "published": plural("published", "published", n),
        "handed": plural("handed", "handed", n),
        "unconfirmed": plural("unconfirmed", "unconfirmed", n),
        "failed": plural("failed", "failed", n),
        "missed": plural("missed", "missed", n),
        "cancelled": plural("cancelled", "cancelled", n),
    }
    return words[state]


def channel_state_word(state: str) -> str:
    """A channel's state: `active`, `actif`."""
    return _CHANNEL_STATES[state]()


def severity_word(severity: str) -> str:
    """A finding's severity: `warning`, `avertissement`."""
    return _(_SEVERITIES[severity])


_OUTCOMES = {
    "published": N_("published"),
    "handed": N_("handed over"),
    "retryable": N_("failed for the moment"),
    "rate_limited": N_("too many requests"),
    "auth_failed": N_("not authorised"),
    "rejected": N_("rejected"),
    "duplicate": N_("already there, they say"),
    "unknown": N_("no answer"),
}


def outcome_word(outcome: str) -> str:
    """What became of an attempt: `no answer`, `sans réponse`."""
    return _(_OUTCOMES[outcome])


def level_word(level: str) -> str:
    """For whom an objective is made clear: `establishment`, `établissement`."""
    return _(_LEVELS[level])


def kind_word(kind: str) -> str:
    """A kind of post: `press_relay`, `revue de presse`; one of the workspace's own by its key."""
    return _(_KINDS.get(kind, kind))


def known_motive(motive: str | None) -> str:
    """The motive, if it is one of the list. Raises UsageError."""
    hint = _("Give --motive with one of: {keys}.").format(keys=", ".join(MOTIVES))
    if motive is None:
        raise UsageError(_("Nothing is taken down without a motive."), hint=hint)
    said = motive.strip().casefold()
    found = next((key for key in MOTIVES if said in (key, motive_word(key).casefold())), None)
    if found is None:
        raise UsageError(_("There is no motive {key!r}.").format(key=motive), hint=hint)
    return found


def motive_word(motive: str) -> str:
    """Why something was taken down: `privacy`, `données personnelles`."""
    return _(_MOTIVES[motive])
