"""The words of the filter grammar (`cm.calendar.filter_grammar`): keys, states and flags in English and French.

Light, so that a command line can be sorted into posts and times before anything is opened.
"""

from collections.abc import Iterable, Mapping

from cm.checks.folding import folded_text
from cm.model.ids import looks_like_id
from cm.model.states import PostState

NOT = ("not-", "sauf-", "-")

KEYS: Mapping[str, tuple[str, ...]] = {
    "state": ("etat",),
    "channel": ("canal",),
    "week": ("semaine",),
    "day": ("jour",),
    "before": ("avant",),
    "after": ("apres",),
    "from": ("depuis",),
    "to": ("jusqu'au",),
    "kind": ("genre", "type"),
    "theme": (),
    "campaign": ("campagne",),
    "objective": ("objectif",),
    "audience": ("public",),
    "story": ("sujet", "histoire"),
    "ref": (),
    "id": (),
    "language": ("langue",),
    "author": ("auteur", "auteure", "autrice"),
    "text": ("texte",),
    "is": ("est",),
}
"""Key → its French names, folded (accents fall away, so `thème` and `réf` need none)."""

STATES: Mapping[PostState, tuple[str, ...]] = {
    PostState.DRAFT: ("brouillon",),
    PostState.SCHEDULED: ("programme", "planifie", "prevu"),
    PostState.PUBLISHING: ("publication", "en publication", "en cours"),
    PostState.PUBLISHED: ("publie",),
    PostState.HANDED: ("remis", "remise", "transmis", "transmise"),
    PostState.UNCONFIRMED: ("non confirme", "incertain", "a confirmer"),
    PostState.FAILED: ("echoue", "echec", "en echec"),
    PostState.MISSED: ("manque",),
    PostState.CANCELLED: ("annule",),
}
"""State → its French names, folded; their plurals and feminine forms are read too."""

FLAGS: Mapping[str, tuple[str, ...]] = {
    "overdue": ("en retard", "retard"),
    "example": ("exemple",),
    "urgent": ("urgente",),
    "over": ("hors quota", "depassement"),
    "withdrawn": ("retire", "retiree"),
    "crisis": ("crise", "de crise"),
    "held": ("retenu", "retenue", "bloque", "bloquee"),
}
"""What `is:` asks for. overdue: its time has come and it is not sent; over: beyond the day's maximum, for a reason;
withdrawn: taken down, or being; crisis: it passes holds; held: held back, and nobody has decided about it yet."""


def _table(names: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """Every spelling, folded → the key."""
    return {spelling: key for key, others in names for spelling in (key, *others)}


KNOWN_KEYS = _table(KEYS.items())
KNOWN_STATES = _table((state.value, others) for state, others in STATES.items())
KNOWN_FLAGS = _table(FLAGS.items())


def state_named(word: str) -> PostState | None:
    """The state that a word names in English or French, in any gender and number; None if none."""
    said = " ".join(folded_text(word).replace("-", " ").replace("_", " ").split())
    forms = (said, said.removesuffix("s"), said.removesuffix("s").removesuffix("e"))
    return next((PostState(KNOWN_STATES[form]) for form in forms if form in KNOWN_STATES), None)


def split(token: str) -> tuple[bool, str, str] | None:
    """Negated, key, value; None for a token without a known key."""
    head, colon, value = token.partition(":")
    if not colon:
        return None
    said = folded_text(head)
    negation = next((lead for lead in NOT if said.startswith(lead)), "")
    key = KNOWN_KEYS.get(said.removeprefix(negation))
    return (bool(negation), key, value) if key else None


def is_filter(token: str) -> bool:
    """Does the token begin with a known key, so that it is no ref?"""
    return split(token) is not None


def is_target(token: str) -> bool:
    """Does the token name posts by its mere form: as a filter or as an id?"""
    return is_filter(token) or looks_like_id(token)
