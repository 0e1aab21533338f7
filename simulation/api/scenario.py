"""A scenario in the hands of a program: loaded, changed key by key, and valid at every moment."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

from simulation.api.elsewhere import Tell, WantsEnd, can_train_here, work_elsewhere
from simulation.foundation import PluginError, PluginSource, find_part, guard_plugins, list_sources, load_source
from simulation.scenario import (
    Override,
    ScenarioError,
    anchor_override,
    build_scenario,
    find_scenario,
    load_constants,
    override_plugins,
    parse_override,
    put_plugins_in_force,
    read_scenario,
    read_value,
    resolve_corruptions,
    shorten,
)
from simulation.scenario import Scenario as Keys
from simulation.scenario.world import build_world
from simulation.training import NO_DATA, DataForm, ImageSet, find_data_set, is_shipped

UNNAMED: Final = "scenario"
"""What errors call a scenario that was read from no file."""

Change = str | Mapping[str, Any]
"""Text such as ``job.stages=3``, as behind `--set`; or values by dotted key."""


class Scenario:
    """All that one run is made from. It never changes: `change` returns another one."""

    def __init__(self, source: str, raw: Mapping[str, Any], overrides: Iterable[Override] = ()) -> None:
        """Check a scenario; use `load` instead.

        Args:
            source: What errors call it: its file.
            raw: What stands there.
            overrides: What replaces some of it, in this order.

        Raises:
            ScenarioError: It is not valid.
        """
        self.source = source
        """The file that it comes from."""
        self._raw = dict(raw)
        self._overrides = tuple(overrides)
        keys = build_scenario(source, self._raw, self._overrides)
        try:
            self.keys: Keys = resolve_corruptions(keys)
        except ScenarioError as error:
            raise ScenarioError(f"{source}: {error}") from None

    def change(self, *changes: Change, **keys: Any) -> Self:  # noqa: ANN401 - whatever a key takes
        """Return the same scenario with other values.

        Args:
            changes: Mappings of dotted keys to values, or texts as behind `--set`; items of a list by number or name.
            keys: Keys of the top level, such as ``seed=3``.

        Raises:
            ScenarioError: The scenario would not be valid; the text says which change is wrong, and what to write.
        """
        added = [*_read_changes(changes), *_read_changes([keys])]
        return type(self)(self.source, self._raw, (*self._overrides, *added))

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - whatever the key has
        """Return the value of a dotted key, with defaults filled in; items of a list by number or name.

        Raises:
            KeyError: There is no such key.
        """
        found: Any = self.to_dict()
        for step in key.split("."):
            if isinstance(found, list):
                names = [item.get("name") if isinstance(item, dict) else None for item in found]
                place = names.index(step) if step in names else int(step) if step.isdecimal() else len(found)
                found = found[place] if place < len(found) else None
            else:
                found = found[step] if isinstance(found, dict) and step in found else None
            if found is None:
                break
        if found is None and not self._has_null(key):
            raise KeyError(f"{key}: no key of the scenario {self.name}")
        return found

    def _has_null(self, key: str) -> bool:
        """Return whether a key is there and has no value."""
        above, _, last = key.rpartition(".")
        section = self[above] if above else self.to_dict()
        return isinstance(section, dict) and last in section

    @property
    def name(self) -> str:
        """What it is called."""
        return self.keys.name

    @property
    def description(self) -> str:
        """What it is about, in a line."""
        return self.keys.description

    @property
    def seed(self) -> int:
        """What every random draw derives from."""
        return self.keys.seed

    @property
    def engine(self) -> str:
        """How its nodes are run."""
        return self.keys.engine

    @property
    def mechanism(self) -> str:
        """How its blocks are agreed on."""
        return self.keys.mechanism.name

    def to_dict(self) -> dict[str, Any]:
        """Return every key with its value, as YAML would have them."""
        read: dict[str, Any] = read_value(self.keys.to_yaml())
        return read

    def to_yaml(self) -> str:
        """Return every key with its value, as a scenario file that `load` reads."""
        return self.keys.to_yaml()

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what stands in its file, and what has been changed of that, by dotted key."""
        return self._raw, {override.key: override.value for override in self._overrides}

    def list_doubts(self) -> list[str]:
        """Return what is allowed and may yet not be meant, a sentence for each; `run` and `validate` print them."""
        return [f"{self.source}: warning: {doubt}" for doubt in self.keys.mechanism.list_doubts(self.keys)]

    def describe(self) -> str:
        """Return what `validate` prints: nodes, length and, where a data file is named, what is in it.

        Raises:
            DatasetError: The file cannot be read, or holds no such data.
            ScenarioError: A plug-in cannot make the genesis, the network, or a model or an optimiser to train with.
        """
        keys = self.keys
        unit = "stage" if keys.is_training else "block"
        text = f"{_count(keys.node_count, 'node')}, {_count(keys.length, unit)}"
        load = find_part(keys.mechanism.name, "data")
        if keys.plugins and load is None:
            self._try_plugins(NO_DATA.name, NO_DATA.form)
        if load is None or keys.is_training_made_up:
            return text
        is_own = not is_shipped(keys.job.model.name) or not isinstance(keys.job.optimizer, str)
        form = find_data_set(keys.dataset.name).form
        if not keys.dataset.path and not is_own:
            return text
        if not keys.dataset.path and form is not None:  # the data may have to be fetched: nobody asks for that here
            self._try_training(keys.dataset.name, form)
            return text
        with guard_plugins(keys.run.time_limit_s, "run.time_limit_s"):
            images: ImageSet = load(keys)
        if is_own:
            self._try_training(images.name, images.form)
        return f"{text}, data set {images.name} with {len(images.y_train):,} training samples"

    def _try_training(self, dataset: str, form: DataForm) -> None:
        """Let a plug-in's model and optimiser be looked at as before a run, which loads TensorFlow.

        Raises:
            ScenarioError: One of them fails, or cannot be trained repeatably.
        """
        if can_train_here():
            self._try_plugins(dataset, form)
        else:
            work_elsewhere(partial(_try_again, self, dataset, form), _ignore, _never)

    def _try_plugins(self, dataset: str, form: DataForm) -> None:
        """Let the code of plug-ins make the world of a run on data of this name and form.

        Raises:
            ScenarioError: It fails, or makes something else.
        """
        put_plugins_in_force(self.keys.plugins)
        try:
            with guard_plugins(self.keys.run.time_limit_s, "run.time_limit_s"):
                build_world(self.keys, dataset, NO_DATA.compute_digest(), form)
        except (PluginError, ScenarioError) as error:
            raise ScenarioError(f"{self.source}: {error}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process make it again, once it has loaded the same plug-ins."""
        put_plugins_in_force(self.keys.plugins)
        sources = list_sources()
        return _restore, (sources, self.source, self._raw, self._overrides)

    def __eq__(self, other: object) -> bool:
        """Return whether all keys have the same values."""
        return isinstance(other, Scenario) and self.keys == other.keys

    def __hash__(self) -> int:
        """Return the same number for equal scenarios."""
        return hash(self.to_yaml())

    def __repr__(self) -> str:
        """Return what it is, in a line."""
        size = f"{self.keys.node_count} nodes, {self.keys.length} blocks"
        return f"<Scenario {self.name}: {self.mechanism}, {size}, {self.engine}, seed {self.seed}>"


def _try_again(scenario: Scenario, dataset: str, form: DataForm, _hear: Tell, _wants_end: WantsEnd) -> None:
    """Try a scenario's plug-ins in another process."""
    scenario._try_plugins(dataset, form)


def _ignore(_: object) -> None:
    pass


def _never() -> bool:
    return False


def _restore(
    plugins: Sequence[PluginSource], source: str, raw: Mapping[str, Any], overrides: Iterable[Override]
) -> Scenario:
    for plugin in plugins:
        load_source(plugin)
    return Scenario(source, raw, overrides)


def load(
    source: str | Path | Mapping[str, Any],
    *changes: Change,
    seed: int | None = None,
    add_plugins: Sequence[str | Path] = (),
    **keys: Any,  # noqa: ANN401 - whatever a key takes
) -> Scenario:
    """Return a scenario, checked; its plug-ins are executed.

    Args:
        source: The name of a shipped scenario, the path of a YAML file, or the keys of one as a mapping.
        changes: What replaces some of it; see `Scenario.change`.
        seed: Replaces the seed, after everything else.
        add_plugins: Files of code, or names of installed packages, besides those that the scenario names.
        keys: Keys of the top level, such as ``engine="virtual"``.

    Raises:
        ScenarioError: There is no such scenario, or it is not valid.
    """
    if isinstance(source, Scenario):
        raise ScenarioError("load: it is a Scenario already; write scenario.change(...) for another one")
    if not isinstance(source, str | PathLike | Mapping):
        what = "the name of a shipped scenario, a path ending in .yaml, or a mapping of its keys"
        raise ScenarioError(f"load: write {what}, not {shorten(repr(source))}")
    load_constants()
    overrides = [*_read_changes(changes), *_read_changes([keys])]
    if seed is not None:
        overrides.append(Override(f"--seed {seed}", "seed", seed))
    if isinstance(source, Mapping):
        named, raw = UNNAMED, to_plain(source)
    else:
        path = find_scenario(str(source))
        named, raw = str(path), read_scenario(path)
    overrides += override_plugins(raw, overrides, [Path(file) for file in add_plugins])
    return Scenario(named, raw, overrides)


def make_scenario(keys: Keys, source: str) -> Scenario:
    """Return a scenario whose keys all have their values already, such as that of a run."""
    return Scenario(source, read_value(keys.to_yaml()))


def take(scenario: "Scenario | str | Path | Mapping[str, Any]") -> Scenario:
    """Return a scenario for whatever names one.

    Raises:
        ScenarioError: There is no such scenario, or it is not valid.
    """
    return scenario if isinstance(scenario, Scenario) else load(scenario)


def to_plain(value: Any) -> Any:  # noqa: ANN401 - whatever a program has
    """Return a value as YAML would have it: numbers of NumPy and pandas, tuples and paths become plain ones."""
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    unpack = getattr(value, "tolist", None)  # of a NumPy scalar or array
    return unpack() if callable(unpack) else value


def _read_changes(changes: Iterable[Change]) -> Iterable[Override]:
    """Yield the overrides that changes stand for.

    Raises:
        ScenarioError: One stands for none.
    """
    for change in changes:
        if isinstance(change, str):
            yield anchor_override(parse_override(change), Path())
            continue
        if not isinstance(change, Mapping):
            what = f"{shorten(repr(change))}: write a mapping of dotted keys, or text such as job.stages=3"
            raise ScenarioError(f"change: {what}")
        for key, value in change.items():
            plain = to_plain(value)
            source = f"change {shorten(f'{key}={_show(plain)}')}"
            yield anchor_override(Override(source, str(key), plain), Path())


def _show(value: Any) -> str:  # noqa: ANN401 - raw YAML
    """Return a value on one line, for a sentence that speaks of it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
