"""Logging in for a Page: see `cm.channels.meta_login`."""

from cm.channels.meta_login import PageLogin
from cm.channels.port import Network
from cm.i18n import _

PUBLISHING = ("pages_manage_posts", "pages_read_engagement", "pages_manage_engagement")
"""Without these nothing works: posts, their answers, and first comments."""
SCOPES = ("pages_show_list", *PUBLISHING, "pages_read_user_content", "pages_manage_metadata", "read_insights")
"""All that is asked of the person; the last three are for comments, hiding and figures."""


def page_login(page: str, network: Network) -> PageLogin:
    """The login that leads to this Page."""
    wanted = _("the Page {page}").format(page=page)
    return PageLogin(
        network,
        name="Facebook",
        scopes=SCOPES,
        chosen=lambda told: told.get("id") == page,
        wanted=wanted,
        named=lambda told: f"{told.get('name')} ({told.get('id')})",
    )
