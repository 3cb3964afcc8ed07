"""Text that people read passes through here; English is the source language.

Catalogues for other languages are added by "A calendar worth using every day": until then `_` gives
back the English it is given. Keys, JSON and CSV are never translated.
"""


def _(message: str) -> str:
    """The text to show for `message`."""
    return message


def plural(one: str, many: str, n: int) -> str:
    """`one` or `many` by `n`, both with a `{n}` place for the number."""
    return (one if n == 1 else many).format(n=n)
