"""What ships: audiences, roles, and kinds of post with the fields they need."""

from collections.abc import Mapping

from cm.i18n import N_

AUDIENCES: Mapping[str, str] = {
    "public": N_("General public"),
    "families": N_("Patients and families"),
    "teenagers": N_("Teenagers"),
    "associations": N_("Patients' associations"),
    "professionals": N_("Health professionals"),
    "institutions": N_("Journalists and institutions"),
    "researchers": N_("Researchers"),
    "students": N_("Students and future interns"),
    "staff": N_("Staff"),
}
"""The shipped catalogue of audiences: key → label; `audiences:` in the configuration adds to it."""

ROLES = (
    "community_manager",
    "communication_director",
    "management",
    "users_directorate",
    "expert",
    "resource_person",
    "editor",
)

KINDS: Mapping[str, tuple[str, ...]] = {
    "announcement": (),
    "press_release": (),
    "conversation": (),
    "event": ("event_date", "place"),
    "quiz": ("answer",),
    "backstage": (),
    "press_relay": ("source", "link"),
    "own_programme": (),
    "testimony": (),
    "recruitment": (),
    "prevention": (),
    "thanks": (),
    "crisis": (),
}
"""The shipped catalogue of kinds: key → fields without which a post of that kind may not go out
(`link` means the post's own link); `kinds:` in the configuration adds to it."""

CLOSED_PLATFORMS: Mapping[str, tuple[str, str]] = {
    "viadeo": ("Viadeo", "linkedin"),
    "googleplus": ("Google+", "facebook"),
    "gplus": ("Google+", "facebook"),
}
"""Networks that exist no more: key without - and _ → name, and the platform that took over its public
(Google+ closed for the public on 2 April 2019). Their channels stay in calendar and reports as closed ones."""
