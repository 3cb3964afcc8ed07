"""The table, as README shows it."""

from collections.abc import Mapping
from typing import Any

KIND = {
    "keys": "keys honoured",
    "listing": "listing only",
    "neither": "neither",
}
HEAD = (
    "| platform | posts | published | twice | lost | out of order | answers lost | unconfirmed "
    "| asked after the restore | failed | 400 after creating | missed, then replanned |"
)


def markdown(found: Mapping[str, Any]) -> str:
    """Both tables and the counts of what was done to cm."""
    ours = found["cm"]
    lines = [HEAD, "|---|" + "--:|" * 11]
    for kind, row in ours["rows"].items():
        cells = (
            KIND[kind],
            row["posts"],
            row["published"],
            row["duplicates"],
            row["lost"],
            row["disordered"],
            row["answers_lost"],
            row["unconfirmed"],
            row["restored"],
            row["failed"],
            row["refused_after"],
            row["missed"],
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    counts = ours["counts"]
    did = ", ".join(f"{counts.get(name, 0)} {said}" for name, said in _DONE)
    forgotten = sum(row["forgotten"] for row in ours["rows"].values())
    lines += [
        "",
        f"Seed {found['seed']}, {ours['seconds']:.0f} s: {did}; {forgotten} messages forgotten by the backup.",
    ]
    if ours["reasons"]:
        lines += ["", *(f"- failed, {count}: {reason}" for reason, count in ours["reasons"].items())]
    if found["naive"]:
        lines += ["", "| simple strategy | messages | twice | lost | given up | s |", "|---|--:|--:|--:|--:|--:|"]
    for name, row in found["naive"].items():
        cells = (name, row["messages"], row["duplicates"], row["lost"], row["given_up"], f"{row['seconds']:.0f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


_DONE = (
    ("runs", "runs of `cm publish`"),
    ("killed", "killed"),
    ("frozen", "frozen past their lease"),
    ("clock jumps", "clock jumps"),
    ("full disks", "with a full disk"),
    ("database locked", "database locked"),
    ("restored", "backup restored"),
    ("by hand", "texts also posted by hand"),
)
