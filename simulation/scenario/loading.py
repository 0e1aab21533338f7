"""Scenario files: which are shipped, finding one, and reading it strictly.

A scenario is YAML. An unknown key, a wrong type or an impossible value is refused with the file, the path of the key
and what to write instead. What a file leaves out comes from `simulation.constants`.
"""

import copy
import difflib
import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulation.foundation import ROOT
from simulation.scenario.defaults import load_constants
from simulation.scenario.error_messages import Step, explain
from simulation.scenario.errors import ScenarioError, shorten
from simulation.scenario.mechanism_keys import TRAINING
from simulation.scenario.overrides import Override, apply_override, parse_override
from simulation.scenario.plugin_keys import SUFFIX, load_named_plugins
from simulation.scenario.scenario import Scenario
from simulation.scenario.strict_yaml import read_file

CONFIGS: Final = ROOT / "configs"
"""Where the shipped scenarios are."""

_NOT_THERE: Final = "no such file"


def list_shipped() -> dict[str, Path]:
    """Return the files of the shipped scenarios by name: those for a start, then one for each attack."""
    files = [*sorted(CONFIGS.glob("*.yaml")), *sorted(CONFIGS.glob("attacks/*.yaml"))]
    return {file.stem: file for file in files}


def find_scenario(name: str) -> Path:
    """Return the file of a shipped scenario's name or of a path.

    Raises:
        ScenarioError: There is no such file.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if _is_file(path):
            return path
        raise ScenarioError(f"{shorten(name)}: {_explain_absence(path)}")
    shipped = list_shipped()
    if name in shipped:
        found = shipped[name]
        return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    if _is_file(path):
        return path
    absence = _explain_absence(path)
    if absence != _NOT_THERE:
        raise ScenarioError(f"{shorten(name)}: {absence}")
    close = difflib.get_close_matches(name, shipped, n=1)
    known = ", ".join(file.stem for file in shipped.values() if file.parent == CONFIGS)
    hint = f"did you mean {close[0]!r}?" if close else f"write a path ending in .yaml, one of {known}, or an attack"
    if not shipped:
        hint = (
            "the shipped ones are not installed; install in place (pip install -e .), or write a path ending in .yaml"
        )
    raise ScenarioError(f"{shorten(name) or 'an empty name'}: no such scenario; {hint}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is longer than any file's, or in a folder that may not be read
        return False


def _explain_absence(path: Path) -> str:
    """Return why there is no file to read at a path."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a symbolic link that leads back to itself"
        return "a symbolic link that leads nowhere" if error.errno == errno.ENOENT and path.is_symlink() else _NOT_THERE
    return "a folder; name a YAML file" if stat.S_ISDIR(mode) else "not a regular file; name a YAML file"


def load_scenario(
    path: Path, settings: Sequence[str] = (), *, seed: int | None = None, plugins: Sequence[Path] = ()
) -> Scenario:
    """Return a scenario file, resolved; its plug-ins are executed.

    Args:
        path: The YAML file.
        settings: Overrides as ``dotted.key=value``; list items by number or population name.
        seed: Replaces the file's seed.
        plugins: Files of code besides those that the scenario names.

    Raises:
        ScenarioError: The file cannot be read or is not a valid scenario.
    """
    load_constants()
    overrides = [parse_override(setting) for setting in settings]
    if seed is not None:
        overrides.append(Override(f"--seed {seed}", "seed", seed))
    raw = read_scenario(path)
    overrides += override_plugins(raw, overrides, plugins)
    return build_scenario(str(path), raw, [anchor_override(item, Path()) for item in overrides])


def override_plugins(raw: Mapping[str, Any], overrides: Sequence[Override], added: Sequence[Path]) -> list[Override]:
    """Return the override that adds plug-ins to those of a scenario; none where none are added.

    Args:
        raw: What stands in the scenario's file.
        overrides: What replaces some of it already.
        added: Files of code.
    """
    named = next((item.value for item in overrides[::-1] if item.key == "plugins"), raw.get("plugins")) or []
    if not added or not isinstance(named, list):
        return []
    override = Override(f"--plugin {shorten(str(added[0]))}", "plugins", [*named, *map(str, added)])
    return [anchor_override(override, Path())]


def read_scenario(path: Path) -> dict[str, Any]:
    """Return what stands in a scenario file, its data file and plug-ins as absolute paths.

    Raises:
        ScenarioError: The file cannot be read.
    """
    raw = read_file(path)
    dataset = raw.get("dataset")
    raw = {**raw, "dataset": _anchor_keys(dataset, path.parent)} if isinstance(dataset, dict) else raw
    return {**raw, "plugins": _anchor_plugins(raw["plugins"], path.parent)} if "plugins" in raw else raw


def anchor_override(override: Override, folder: Path) -> Override:
    """Return an override that names a data file or plug-ins by their absolute paths; others as they are."""
    value = override.value
    if override.key == "plugins":
        return override._replace(value=_anchor_plugins(value, folder))
    if override.key == "dataset.path":
        return override._replace(value=_anchor(value, folder))
    is_section = override.key == "dataset" and isinstance(value, dict)
    return override._replace(value=_anchor_keys(value, folder)) if is_section else override


def _anchor_keys(dataset: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {**dataset, "path": _anchor(dataset["path"], folder)} if "path" in dataset else dataset


def _anchor_plugins(named: Any, folder: Path) -> Any:  # noqa: ANN401 - raw YAML
    """Return plug-ins with the absolute paths of their files."""
    return [_anchor_plugin(item, folder) for item in named] if isinstance(named, list) else named


def _anchor_plugin(item: Any, folder: Path) -> Any:  # noqa: ANN401 - raw YAML
    file = item.get("file") if isinstance(item, dict) else item
    if not isinstance(file, str) or not file.endswith(SUFFIX):
        return item
    anchored = _anchor(file, folder)
    return {**item, "file": anchored} if isinstance(item, dict) else anchored


def _anchor(path: Any, folder: Path) -> Any:  # noqa: ANN401 - raw YAML
    """Return the absolute path of a file that is named from a folder or, where it is not there, from where we are."""
    if not isinstance(path, str) or not path or not path.isprintable():
        return path
    named = Path(path).expanduser()
    beside, here = Path.cwd() / folder / named, Path.cwd() / named
    return os.path.normpath(here if _is_file(here) and not _is_file(beside) else beside)


def load_stored_scenario(path: Path) -> Scenario:
    """Return the resolved scenario of a run that has ended; keys that came later have the value that was the only one.

    Raises:
        ScenarioError: The file cannot be read, is not a valid scenario, or names plug-ins that nobody has allowed to be
            executed (`simulation.foundation.permit_plugins`).
    """
    load_constants()
    raw = load_named_plugins(path, read_file(path))
    name = raw.get("mechanism", TRAINING)
    rules = raw.get("protocol")
    if (name.get("name") if isinstance(name, dict) else name) == TRAINING and isinstance(rules, dict):
        raw = {**raw, "protocol": {"rules": 1, **rules}}
    return build_scenario(str(path), raw)


def build_scenario(source: str, raw: dict[str, Any], overrides: Sequence[Override] = ()) -> Scenario:
    """Return a raw scenario, resolved.

    Args:
        source: What to call the file that it was read from.
        raw: What stands there; it is not changed.
        overrides: What replaces some of it, in this order.

    Raises:
        ScenarioError: It is not a valid scenario.
    """
    steps = [Step(source, raw, ())]
    for override in overrides:
        changed: dict[str, Any] = copy.deepcopy(steps[-1].raw)
        location = apply_override(changed, override)
        steps.append(Step(override.source, changed, location))
    try:
        return Scenario.model_validate(steps[-1].raw)
    except ValidationError as error:
        raise ScenarioError(explain(error, steps, Scenario)) from None
