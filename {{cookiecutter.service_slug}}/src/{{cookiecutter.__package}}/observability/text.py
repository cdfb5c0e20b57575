"""Text that is safe to show on a terminal."""

from unicodedata import category

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories: control, format (the bidirectional overrides among them), surrogates, and the
separators of lines and paragraphs."""


def safe(text: str) -> str:
    """The text, with each character escaped as `\\uXXXX` that a terminal would obey instead of
    show. This is JSON's own escape, so that JSON keeps its meaning."""
    if text.isprintable():
        return text
    return "".join([escaped(each) if category(each) in UNSAFE else each for each in text])


def escaped(character: str) -> str:
    """The character as JSON escapes it."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join([f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4)])
