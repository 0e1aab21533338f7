"""Sweep files: strict reading, and the sweep that one stands for."""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from simulation.commands.sweeps.axes import MAX_CELLS, Axis, check_value, encode, read_axis
from simulation.records import SCENARIO_NAME
from simulation.scenario import (
    CONFIGS,
    Name,
    OneLine,
    Override,
    PluginKeys,
    ScenarioError,
    Section,
    Step,
    anchor_override,
    explain,
    find_scenario,
    from_constant,
    load_constants,
    pin_plugins,
    read_file,
    read_scenario,
    shorten,
    show,
    write_text,
)


class SweepFile(Section):
    """The keys of a sweep file."""

    name: Name
    description: OneLine
    scenario: Annotated[str, Field(min_length=1, max_length=4095)]
    """A shipped scenario's name, or a file relative to the sweep file."""
    set: Any = Field(default_factory=dict)
    """Values that every cell has, by dotted key."""
    vary: Any = Field(default_factory=dict)
    """What differs between cells."""
    repeats: Annotated[int, Field(ge=1, le=MAX_CELLS)] = 1
    """Cells of each combination, each with a seed of its own."""
    seed: Annotated[int, Field(ge=0, lt=2**62)] = from_constant("SEED")
    """What the seeds of all cells are derived from."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep file, resolved."""

    source: str
    """The file, as the user has named it, or what errors call a sweep that is in none."""
    is_in_file: bool
    name: str
    description: str
    scenario_source: str
    scenario_text: str
    scenario: dict[str, Any]
    """The raw scenario that cells are made from."""
    settings: tuple[tuple[str, Any], ...]
    axes: tuple[Axis, ...]
    repeats: int
    seed: int

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that vary, in their order."""
        return tuple(key for axis in self.axes for key in axis.keys)

    def count_combinations(self) -> int:
        """Return the number of combinations of values."""
        return prod(len(axis.rows) for axis in self.axes)

    def count_cells(self) -> int:
        """Return the number of combinations, times the repeats."""
        return self.count_combinations() * self.repeats

    def list_plugins(self) -> tuple[PluginKeys, ...]:
        """Return the plug-ins that all cells have, which have been loaded."""
        return tuple(map(PluginKeys.model_validate, filter(_is_pinned, dict(self.settings).get("plugins") or ())))

    def to_yaml(self) -> str:
        """Return the sweep with every key and every value written out, for the folder that has its scenario."""
        settings = dict(self.settings)
        if "plugins" in settings:
            settings["plugins"] = [_store(item) for item in settings["plugins"]]
        return write_text(
            {
                "name": self.name,
                "description": self.description,
                "scenario": SCENARIO_NAME,
                "set": settings,
                "vary": {axis.label: axis.describe() for axis in self.axes},
                "repeats": self.repeats,
                "seed": self.seed,
            }
        )

    def compute_fingerprint(self, code_version: str) -> str:
        """Return 12 hex digits over everything that decides the table, and the version of the code.

        Of a plug-in that is its source, wherever it lies.
        """
        axes = [[axis.label, axis.describe()] for axis in self.axes]
        settings = [(key, _hide_places(value) if key == "plugins" else value) for key, value in self.settings]
        text = encode([self.name, self.scenario_text, settings, axes, self.repeats, self.seed, code_version])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def list_shipped_sweeps() -> dict[str, Path]:
    """Return the files of the shipped sweeps by name; studies have their scenarios beside them."""
    files = [*sorted(CONFIGS.glob("sweeps/*.yaml")), *sorted(CONFIGS.glob("studies/*.yaml"))]
    return {file.stem: file for file in files if is_sweep(read_file(file))}


def is_sweep(raw: Mapping[str, Any]) -> bool:
    """Return whether keys are rather those of a sweep than of a scenario."""
    return "scenario" in raw or "vary" in raw


def find_sweep(name: str) -> Path:
    """Return the file of a shipped sweep's name or of a path.

    Raises:
        ScenarioError: There is no such sweep.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    shipped = list_shipped_sweeps()
    if name in shipped:
        return shipped[name]
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"write a path ending in .yaml, or one of {', '.join(shipped)}"
    raise ScenarioError(f"{shorten(name)}: no such sweep; {hint}")


def load_sweep(path: Path) -> Sweep:
    """Return a sweep file, resolved; its combinations are not looked at yet.

    Raises:
        ScenarioError: The file cannot be read or is not a valid sweep.
    """
    return build_sweep(path, read_file(path, "name, description and scenario"), is_in_file=True)


@dataclass(frozen=True, slots=True)
class Base:
    """The scenario that a sweep varies."""

    source: str
    """What errors call it."""
    text: str
    """As its file has it, or would."""
    raw: dict[str, Any]


def build_sweep(path: Path, raw: Mapping[str, Any], base: Base | None = None, *, is_in_file: bool = False) -> Sweep:
    """Return a sweep by what stands in its file; its combinations are not looked at yet.

    Args:
        path: The file, or what errors call a sweep that is in none.
        raw: What stands there.
        base: The scenario; None for the one that is named there.
        is_in_file: Whether there is such a file.

    Raises:
        ScenarioError: It is not a valid sweep.
    """
    load_constants()
    try:
        file = SweepFile.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError(explain(error, [Step(str(path), dict(raw), ())], SweepFile)) from None
    settings = _read_mapping(file.set, f"{path}: set")
    for key, value in settings.items():
        check_value(value, f"{path}: set.{shorten(key)}")
    varied = _read_mapping(file.vary, f"{path}: vary")
    axes = tuple(read_axis(label, item, f"{path}: vary.{shorten(label)}") for label, item in varied.items())
    _check_keys(str(path), settings, axes)
    chosen = base if base is not None else _read_base(path, file.scenario)
    if "plugins" in settings:
        anchored = anchor_override(Override(str(path), "plugins", settings["plugins"]), path.parent).value
        settings["plugins"] = pin_plugins(anchored) if isinstance(anchored, list) else anchored
    sweep = Sweep(
        source=str(path),
        is_in_file=is_in_file,
        name=file.name,
        description=file.description,
        scenario_source=chosen.source,
        scenario=chosen.raw,
        scenario_text=chosen.text,
        settings=tuple({**_find_files(chosen.raw, settings), **settings}.items()),
        axes=axes,
        repeats=file.repeats,
        seed=file.seed,
    )
    if sweep.count_cells() > MAX_CELLS:
        sizes = " x ".join(str(len(axis.rows)) for axis in axes)
        raise ScenarioError(
            f"{path}: {sizes or 1} combinations, {file.repeats} times each, are {sweep.count_cells():,} cells; "
            f"write fewer values or repeats, so that there are at most {MAX_CELLS:,}"
        )
    return sweep


def _find_files(scenario: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that name the scenario's data file and plug-ins wherever it and the sweep are copied to.

    Plug-ins have their digests there: all cells are of one version, which is part of the sweep's fingerprint. Those
    that other settings replace are not loaded.
    """
    dataset, plugins = scenario.get("dataset"), scenario.get("plugins")
    path = dataset.get("path") if isinstance(dataset, dict) else None
    return {
        **({"dataset.path": path} if isinstance(path, str) else {}),
        **(
            {"plugins": pin_plugins(plugins)}
            if isinstance(plugins, list) and plugins and "plugins" not in settings
            else {}
        ),
    }


def _is_pinned(item: object) -> bool:
    """Return whether a setting names a plug-in with its digest."""
    return isinstance(item, dict) and set(item) == {"file", "digest"} and all(isinstance(v, str) for v in item.values())


def _store(item: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return what a sweep's folder says of a plug-in, whose copy lies there."""
    return PluginKeys.model_validate(item).to_stored() if _is_pinned(item) else item


def _hide_places(plugins: object) -> object:
    """Return a setting of plug-ins without the places of those that have digests."""
    if not isinstance(plugins, list):
        return plugins
    return [item["digest"] if _is_pinned(item) else item for item in plugins]


def _read_mapping(raw: object, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: write dotted keys of the scenario below it, not {show(raw)}")
    return raw


def _check_keys(source: str, settings: Mapping[str, Any], axes: tuple[Axis, ...]) -> None:
    """Refuse keys that a sweep derives, and keys that would overwrite one another."""
    where = [(f"set.{shorten(key)}", key) for key in settings]
    where += [(f"vary.{shorten(axis.label)}", key) for axis in axes for key in axis.keys]
    derived = next((place for place, key in where if key == "seed"), None)
    if derived is not None:
        raise ScenarioError(f"{source}: {derived}: seeds are derived from the sweep's; write seed and repeats instead")
    seen: dict[str, str] = {}
    for place, key in where[len(settings) :]:
        inside = next((other for other in seen if f"{key}.".startswith(f"{other}.") or other.startswith(f"{key}.")), "")
        if inside:
            raise ScenarioError(
                f"{source}: {place}: {shorten(key)} and {shorten(inside)} ({seen[inside]}) overwrite each other; "
                f"vary each value once"
            )
        seen[key] = place


def _read_base(path: Path, name: str) -> Base:
    found = _find_base(path, name)
    return Base(str(found), found.read_text("utf-8"), read_scenario(found))


def _find_base(path: Path, name: str) -> Path:
    """Return the scenario's file."""
    is_file = Path(name).suffix in (".yaml", ".yml")
    try:
        return find_scenario(str(path.parent / name) if is_file else name)
    except ScenarioError as error:
        hint = "; a file is looked for from the folder of the sweep file" if is_file else ""
        raise ScenarioError(f"{path}: scenario: {error}{hint}") from None
