"""Changing what stands there: the text alone. A card stays as it is, and a photo's description cannot be changed."""

from cm.channels.facebook.reading import ATTACHED, card
from cm.channels.meta import Graph, items, mapping, node
from cm.channels.port import Json, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import _


def edit(graph: Graph, page: str, remote_id: str, message: Outgoing) -> None:
    """Change the text of a post, a reel or a comment. Raises ChannelError."""
    path = node(remote_id)
    if not remote_id.startswith(f"{page}_"):
        name = "message" if "_" in remote_id else "description"  # a comment's id has two parts, a video's one
        body = {name: with_link(message.text, message.link)}
    else:
        attached = items(mapping(graph.get(path, f"id,{ATTACHED}").get("attachments")).get("data"))
        _refuse_other_alts(graph, attached, message)
        carded = message.link is not None and card(attached) == message.link
        body = {"message": message.text if carded else with_link(message.text, message.link)}
    graph.call("POST", path, mode="sending", json=body)


def _refuse_other_alts(graph: Graph, attached: list[Json], message: Outgoing) -> None:
    """Raises Rejected if a picture's description is not the one that stands there."""
    inner = [each for one in attached for each in items(mapping(one.get("subattachments")).get("data")) or [one]]
    photos = [str(mapping(each.get("target")).get("id")) for each in inner if each.get("media_type") == "photo"]
    for photo, media in zip(photos, message.media, strict=False):
        if (graph.get(node(photo), "alt_text_custom").get("alt_text_custom") or "") != media.alt:
            raise Rejected(_("Facebook cannot change a picture's description afterwards."), field="media")
