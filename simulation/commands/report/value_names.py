"""What to call the values of a sweep's keys and figures: a list or keys as words, which a table holds as JSON."""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

_OPENINGS: Final = ("{", "[", '"')
"""What a value begins with that is JSON, in a column that has more than words or numbers."""

_FIRST: Final = ("name", "kind")
"""Keys that stand first, without being told: they say what a section is about."""


def show_value(value: object) -> str:
    """Return a value of a key or figure as a picture or table has it."""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.6g}"
    return _put_into_words(_decode(value))


def name_values(values: Collection[object]) -> Callable[[object], str]:
    """Return what names each value of one key so that it is told from the others.

    Of sections, keys that are the same wherever they stand are left out, as long as the rest tells all apart.
    """
    texts = sorted({value for value in values if isinstance(value, str)})
    sections = {text: found for text in texts if isinstance(found := _decode(text), dict)}
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for section in sections.values():
        for key, item in section.items():
            seen[key].add(json.dumps(item, sort_keys=True))
    names = {
        text: _put_into_words({key: item for key, item in section.items() if len(seen[key]) > 1})
        for text, section in sections.items()
    }
    if len(set(names.values())) < len(names) or _put_into_words({}) in names.values():
        names = {}
    if len(set(map(show_value, texts))) < len(texts):  # a list of one thing and the thing itself
        return str
    return lambda value: names[value] if isinstance(value, str) and value in names else show_value(value)


def _decode(value: object) -> object:
    """Return what stands for a text that is JSON of more than a word; the value itself otherwise."""
    if isinstance(value, str) and value.startswith(_OPENINGS):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # a word that only looks like it
            return value
    return value


def _put_into_words(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        first = [_put_into_words(value[key]) for key in _FIRST if key in value]
        rest = [f"{key} {_enclose(item)}" for key, item in value.items() if key not in _FIRST]
        return ", ".join([*first, *rest]) or "nothing"
    if isinstance(value, list) and len(value) == 1:
        return _put_into_words(value[0])
    if isinstance(value, list):
        return ", ".join(map(_enclose, value)) or "none"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _enclose(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return words for a value within another, in brackets where they are several."""
    words = _put_into_words(value)
    is_several = isinstance(value, list | Mapping) and len(value) > 1
    return f"({words})" if is_several else words
