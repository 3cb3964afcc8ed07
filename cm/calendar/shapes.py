"""The files of other tools, as tables: which heading stands for what.

Sources: Hootsuite's help on bulk scheduling (three columns, no header, 350 rows); sample files of Buffer-like
uploaders in public repositories; Publer's help “How to use a CSV file”; the help on bulk scheduling of
HighLevel's social planner; planning sheets as they are shared on the web. Read in 2025 and 2026. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cm.calendar.headings import by_plain

ASIDE = "aside"
"""The role of headings that are known and taken to mean nothing for us."""

ROLES = ("channel", "when", "date", "time", "kind", "theme", "audiences", "objective", "text", "link", "media")
"""`when` is date and time in one cell; `media` are addresses of pictures. `first_comment` is one more."""


@dataclass(frozen=True)
class Shape:
    """One tool's file. `words`: role → headings; `order`: the roles of a file without header.

    `timed`: a row without a time is a fault (elsewhere it takes the next open slot).
    """

    name: str
    words: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...] = ()
    timed: bool = False

    @property
    def known(self) -> dict[str, str]:
        """Plain heading → role, "" for what is left out."""
        roles = {role: heard for role, heard in self.words.items() if role != ASIDE}
        plain = {heading: role for heading, role in by_plain(roles).items() if heading not in ("when", "first comment")}
        return plain | dict.fromkeys(by_plain({ASIDE: self.words.get(ASIDE, ())}), "")


_BUFFER = Shape(
    "Buffer",
    {
        "when": ("posting time", "scheduled at", "scheduled time and date"),
        "date": ("scheduled date",),
        "time": ("scheduled time",),
        "text": ("text", "content"),
        "link": ("link", "url"),
        "media": ("image url", "image urls", "media", "media url", "video url", "image"),
        "channel": ("profile", "channel"),
        ASIDE: ("tags", "tag"),
    },
)
_PUBLER = Shape(
    "Publer",
    {
        "when": ("date",),
        "text": ("text", "message"),
        "link": ("link", "links"),
        "media": ("media url", "media urls", "media", "video thumbnail url"),
        "first_comment": ("comment", "comments"),
        ASIDE: (
            "title", "label", "labels", "alt text", "alt texts", "reminder", "cta", "post subtype",
            "pin board, fb album, or google category",
        ),
    },
)  # fmt: skip
_HIGHLEVEL = Shape(
    "GoHighLevel",
    {
        "when": ("postatspecifictime",),
        "text": ("content",),
        "link": ("link",),
        "media": ("imageurls", "imageurl", "gifurl", "videourl", "videourls"),
    },
    timed=True,
)
_PLANNER = Shape(
    "a planning sheet",
    {
        "date": ("date", "jour"),
        "time": ("time", "heure"),
        "channel": ("platform", "plateforme", "channel", "canal"),
        "kind": ("content type", "type de contenu", "type"),
        "theme": ("topic", "thème", "sujet"),
        "text": ("caption", "légende", "texte", "copy"),
        "audiences": ("target audience", "audience", "cible"),
        "objective": ("goal", "objectif"),
        "link": ("link", "lien"),
        "media": ("image", "visual", "visuel", "media"),
        ASIDE: ("status", "statut", "notes", "hashtags"),
    },
)
_HOOTSUITE = Shape("Hootsuite", {}, order=("when", "text", "link"), timed=True)

SHAPES: Mapping[str, Shape] = {
    "hootsuite": _HOOTSUITE,
    "buffer": _BUFFER,
    "publer": _PUBLER,
    "gohighlevel": _HIGHLEVEL,
    "planner": _PLANNER,
}
"""Tool, as `--from` takes it → its file."""
