"""``--set KEY=VALUE``: writes one value into the raw mapping of a scenario; whether it fits is judged with the rest."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from simulation.scenario.errors import ScenarioError, shorten
from simulation.scenario.strict_yaml import read_value

Location = tuple[str | int, ...]


class Override(NamedTuple):
    """A value that replaces what the file says."""

    source: str
    """What the user has typed: ``--set job.stages=3``."""
    key: str
    """Dotted path of the key."""
    value: Any


def parse_override(setting: str) -> Override:
    """Return the override of a ``dotted.key=value``.

    Raises:
        ScenarioError: It is none.
    """
    source = f"--set {shorten(setting)}"
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ScenarioError(f"{source}: write it as dotted.key=value")
    try:
        return Override(source, key, read_value(text))
    except ValueError as error:
        raise ScenarioError(f"{source}: {error}") from None


def check_option_agrees(settings: Iterable[str], key: str, value: object) -> None:
    """Refuse an option that stands for a key, where ``--set`` says something else of the same key.

    Args:
        settings: Overrides as ``dotted.key=value``.
        key: The key, called like the option.
        value: What the option says; None if it was not given.

    Raises:
        ScenarioError: The two differ, or a setting is none.
    """
    for override in map(parse_override, settings):
        if value is not None and override.key == key and override.value != value:
            raise ScenarioError(f"--{key} {value} contradicts {override.source}; leave one of them out")


def apply_override(raw: dict[str, Any], override: Override) -> Location:
    """Write an override into a raw scenario and return where it went.

    Raises:
        ScenarioError: There is no such list item, or no mapping where the key belongs.
    """
    target: Any = raw
    location: list[Any] = []
    *path, last = override.key.split(".")
    for step in path:
        location.append(_find_step(target, step, override.source))
        if isinstance(target, dict) and target.get(step) is None:
            target[step] = {}
        target = target[location[-1]]
    if not isinstance(target, list | dict):
        raise ScenarioError(f"{override.source}: {'.'.join(path)} has no keys below it")
    location.append(_find_step(target, last, override.source))
    target[location[-1]] = override.value
    return tuple(location)


def _find_step(target: Any, step: str, source: str) -> str | int:  # noqa: ANN401 - raw YAML
    """Return the key or the index that a step of a dotted path stands for."""
    if isinstance(target, dict):
        return step
    if not isinstance(target, list):
        raise ScenarioError(f"{source}: there is nothing below {step!r}")
    names = [item.get("name") if isinstance(item, dict) else None for item in target]
    if step in names:
        return names.index(step)
    if step.isdecimal() and len(step) < 10 and int(step) < len(target):
        return int(step)
    known = ", ".join(str(name) for name in names if name)
    numbers = f"write 0 to {len(target) - 1}" if target else "the list is empty; set the whole list"
    raise ScenarioError(f"{source}: no item {step!r}; {numbers}" + (f" or {known}" if known else ""))
