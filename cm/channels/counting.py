"""How long a text is, as platforms count: signs as people see them, UTF-8 bytes, UTF-16 units.

A lone surrogate (half a character, which no platform takes) counts here instead of failing: the text is refused by
whoever looks at what it says.
"""


def graphemes(text: str) -> int:
    """How many signs a reader sees: extended grapheme clusters (Unicode UAX #29); a family of emoji is one."""
    if text.isascii():  # exact: in ASCII only CR LF make one cluster of two
        return len(text) - text.count("\r\n")
    import regex  # heavy, and only texts beyond ASCII need it

    return sum(1 for _cluster in regex.finditer(r"\X", text))


def clusters(text: str) -> list[str]:
    """The signs of a text one by one, so that it can be cut between two of them and never within one."""
    import regex

    found: list[str] = regex.findall(r"\X", text)
    return found


def utf8(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def utf16(text: str) -> int:
    """Units of UTF-16, as JavaScript and Java count: signs beyond the first plane (most emoji) are two."""
    return len(text) + sum(char > "\uffff" for char in text)
