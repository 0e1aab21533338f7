"""In which keys of their scenarios runs differ, from the `scenario.yaml` beside each log."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulation.records import SCENARIO_NAME, RunLog
from simulation.scenario import ScenarioError, read_file, shorten

UNKNOWN: Final = "?"
"""What a key is said to be in a run whose scenario does not lie beside its log."""

_ROWS: Final = frozenset({"name", "description", "seed", "engine", "mechanism.name"})
"""Keys that are rows of a comparison by themselves, and the one that only says what the others do."""

_MAX_BYTES: Final = 2**19
_MAX_VISITS: Final = 20_000
_MAX_DEPTH: Final = 16
"""A file from elsewhere may be of any size, and small ones of nested aliases stand for any number of keys."""


@dataclass(slots=True)
class _Visits:
    left: int = _MAX_VISITS


@dataclass(frozen=True, slots=True)
class _Keys:
    values: dict[str, str]
    """What each key is, by its name with dots between."""
    sections: Counter[str]
    """How many keys each section has."""

    def tell(self, name: str, absent: str) -> str:
        """Return what a key is, or how many keys a section has."""
        count = self.sections[name]
        return f"{count} {'key' if count == 1 else 'keys'}" if count else self.values.get(name, absent)


def find_differing_keys(logs: Sequence[RunLog], absent: str) -> dict[str, list[str]]:
    """Return the keys in which runs differ, in the order of their scenarios, and what each run has there.

    Of a section that some run has not, there is one entry, which says how many keys the others have in it.

    Args:
        logs: The runs.
        absent: What a run is said to have that has no such key.
    """
    read = [_read_keys(log) for log in logs]
    known = [keys for keys in read if keys is not None]
    if len(known) < 2:
        return {}
    told: dict[str, list[str]] = {}
    for name in dict.fromkeys(_find_common(name, known) for keys in known for name in keys.values):
        if len({keys.tell(name, absent) for keys in known}) > 1:
            told[name] = [UNKNOWN if keys is None else keys.tell(name, absent) for keys in read]
    return told


def _find_common(name: str, known: Sequence[_Keys]) -> str:
    """Return the outermost section of a key that is no section in some run, or the key itself."""
    sections = (section for section in _list_sections(name) if not all(keys.sections[section] for keys in known))
    return next(sections, name)


def _list_sections(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _read_keys(log: RunLog) -> _Keys | None:
    """Return the keys of a run's scenario; None where there is none beside its log, or that of another run."""
    path, opening = log.path.parent / SCENARIO_NAME, log.tally.get_opening()
    try:
        raw = read_file(path) if path.is_file() and path.stat().st_size <= _MAX_BYTES else {}
    except (OSError, ScenarioError):
        return None
    if (raw.get("name"), raw.get("seed"), raw.get("engine")) != (opening.scenario, opening.seed, opening.engine):
        return None
    values = {name: value for name, value in _flatten(raw, "", 0, _Visits()) if name not in _ROWS}
    return _Keys(values, Counter(section for name in values for section in _list_sections(name)))


def _flatten(value: Any, name: str, depth: int, visits: _Visits) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any YAML
    visits.left -= 1
    if visits.left < 0 or depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping) and value:
        parts = dict(value)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        parts = dict(_name_items(value))
    else:
        yield name, _show(value)
        return
    for key, part in parts.items():
        yield from _flatten(part, f"{name}.{key}" if name else key, depth + 1, visits)


def _name_items(items: list[Any]) -> Iterator[tuple[str, Any]]:
    """Return the items of a list by what `--set` calls them: a name that no other has, else the place."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    counts = Counter(name for name in names if isinstance(name, str))
    for place, (name, item) in enumerate(zip(names, items, strict=True)):
        yield (name if isinstance(name, str) and counts[name] == 1 else str(place)), item


def _show(value: Any) -> str:  # noqa: ANN401 - any YAML
    if isinstance(value, list):
        return shorten(f"[{', '.join(_show(item) for item in value)}]")
    words = {None: "null", True: "true", False: "false"}
    is_word = value is None or isinstance(value, bool)
    return words[value] if is_word else shorten(str(value))
