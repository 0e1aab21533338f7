"""What to say of a name that is not there: the one that was perhaps meant, or what there is."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_SHOWN: Final = 12
"""Names that are told where none is near."""


def suggest(name: object, known: Collection[str]) -> str:
    """Return what to write instead of a name that is not among those known, to stand behind a semicolon.

    Dotted names that end with what was written come first: `test_accuracy` is perhaps `training.test_accuracy`.
    """
    text = str(name)
    ends = sorted(other for other in known if text and other.endswith(f".{text}"))
    close = ends[:2] or get_close_matches(text, known, n=1)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    names = sorted(known)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(names[:_SHOWN])}{rest}" if names else "there are none"
