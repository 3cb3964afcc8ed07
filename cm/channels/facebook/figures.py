"""What Facebook counts with every post: reactions, comments, shares; a reel's plays. Reach is asked for elsewhere.

Even these sums need the right `pages_read_user_content` (seen live 2026-09-01). They are asked one by one: a question
for several fails as a whole where one of them is gone.
"""

from collections.abc import Sequence

from cm.channels.meta import Graph, Missing, count, mapping, node
from cm.channels.port import Json, Numbers

SUM = "summary(total_count).limit(0)"
POST = f"shares,reactions.{SUM},comments.{SUM}"
REEL = f"views,likes.{SUM},comments.{SUM}"


def of_posts(graph: Graph, remote_ids: Sequence[str]) -> dict[str, Numbers]:
    """Numbers by remote id; an id that is gone is left out. Raises ChannelError."""
    found: dict[str, Numbers] = {}
    for remote_id in remote_ids:
        try:
            told = graph.get(node(remote_id), POST if "_" in remote_id else REEL)
        except Missing:
            continue
        found[remote_id] = _numbers(told)
    return found


def of_page(graph: Graph, page: str) -> Numbers:
    """Followers. Raises ChannelError."""
    return Numbers(followers=count(graph.get(page, "followers_count"), "followers_count"))


def _numbers(told: Json) -> Numbers:
    """A post without shares has no `shares` at all: that is not known to be none."""
    return Numbers(
        reactions=_sum(told, "reactions") if "reactions" in told else _sum(told, "likes"),
        comments=_sum(told, "comments"),
        shares=count(mapping(told.get("shares")), "count"),
        views=count(told, "views"),
    )


def _sum(told: Json, edge: str) -> int | None:
    return count(mapping(mapping(told.get(edge)).get("summary")), "total_count")
