"""JSON, read strictly: a key written twice hides a value from one reader or another."""

import json
from typing import Any, Final

MOST_SHOWN: Final = 60
"""Characters of a key that a sentence shows."""


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a piece of JSON stands for.

    Raises:
        ValueError: It is no JSON, is nested too deep, or has a key twice; the text says which.
    """
    try:
        return json.loads(text, object_pairs_hook=_refuse_twins)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except _TwinError as error:
        key = str(error)
        shown = key if len(key) <= MOST_SHOWN else f"{key[:MOST_SHOWN]}..."
        raise ValueError(f"the key {shown!r} stands twice") from None
    except ValueError:
        raise ValueError("not JSON") from None


class _TwinError(Exception):
    """A key stands twice; the text is the key."""


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwinError(name)
        found[name] = value
    return found
