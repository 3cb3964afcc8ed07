"""Made-up engagement: the same input gives the same numbers on every machine.

Each number is a share, drawn from a hash of the remote id, of the number above it (followers → reach →
reactions…), times a growth that ends after three days. Only IEEE multiplication and addition are used,
so no library's rounding can differ.
"""

import hashlib
from datetime import timedelta

from cm.channels.port import Numbers

PLATEAU = timedelta(days=3)
"""Age from which a post's numbers stand still."""


def _share(seed: str, what: str, low: float, high: float) -> float:
    """A number in [low, high), always the same for the same seed and purpose."""
    digest = hashlib.sha256(f"{seed}\0{what}".encode("utf-8", "replace")).digest()
    return low + (high - low) * (int.from_bytes(digest[:6], "big") / 2**48)


def _growth(age: timedelta) -> float:
    """0 when new, 1 from the plateau on; fast at first."""
    left = 1 - min(max(age / PLATEAU, 0.0), 1.0)
    return 1 - left * left * left


def of_post(remote_id: str, account: str, *, age: timedelta, followers: int, video: bool) -> Numbers:
    """Numbers of a post of that age. `saves` is None, as on platforms that do not tell; `views` is for films only."""
    seed = f"{account}\0{remote_id}"
    reach = int(followers * _share(seed, "reach", 0.08, 0.55) * _growth(age))
    impressions = reach + int(reach * _share(seed, "impressions", 0.1, 0.6))
    return Numbers(
        reach=reach,
        impressions=impressions,
        reactions=int(reach * _share(seed, "reactions", 0.01, 0.07)),
        comments=int(reach * _share(seed, "comments", 0.001, 0.012)),
        shares=int(reach * _share(seed, "shares", 0.002, 0.016)),
        clicks=int(reach * _share(seed, "clicks", 0.005, 0.04)),
        views=int(impressions * _share(seed, "views", 0.3, 0.8)) if video else None,
    )


def of_account(account: str, *, age: timedelta, followers: int) -> Numbers:
    """Followers of an account whose first post has that age: `followers`, and 0.3 to 1 per thousand more each day."""
    days = max(age / timedelta(days=1), 0.0)
    return Numbers(followers=followers + int(followers * days * _share(account, "followers", 0.0003, 0.001)))
