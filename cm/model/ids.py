"""Ids as people see them: a letter for the kind and the number (`p212`)."""

import re

_ID = re.compile(r"([a-z])([0-9]+)")
_DIGITS = 19
"""As many as the largest number of a database has."""


def post_id(number: int | None) -> str:
    """`p212` for post 212."""
    return f"p{number}"


def number_of(text: str, letter: str) -> int | None:
    """212 for `p212` if the letter fits, else None."""
    match = _ID.fullmatch(text.strip().lower())
    return int(match[2]) if match and match[1] == letter and len(match[2]) <= _DIGITS else None


def looks_like_id(text: str) -> bool:
    """True for what may not be a ref, since it could be taken for an id."""
    return bool(_ID.fullmatch(text.strip().lower()))
