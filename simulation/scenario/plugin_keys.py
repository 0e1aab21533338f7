"""The key `plugins` of a scenario: files of code from outside the package that it needs."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from simulation.foundation import (
    PACKAGE,
    Plugin,
    PluginError,
    check_permitted,
    list_in_force,
    load_package,
    load_plugin,
    load_stored_plugin,
    put_in_force,
)
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency, ScenarioError, UntrustedPluginError
from simulation.scenario.fields import NAME_PATTERN, FilePath, Section

PLUGINS_FOLDER: Final = "plugins"
"""Where the folder of a run keeps copies of its plug-ins."""

SUFFIX: Final = ".py"

_NAME: Final = re.compile(NAME_PATTERN)


class PluginKeys(Section):
    """One plug-in, which has been loaded."""

    file: FilePath
    """Where it was read from; of an installed package, its name behind `package:`."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of its source."""

    @property
    def name(self) -> str:
        """Name of its file or package."""
        return Path(self.file).name

    @property
    def is_package(self) -> bool:
        """Whether it is an installed package, of which no copy is kept."""
        return self.file.startswith(PACKAGE)

    def to_stored(self) -> dict[str, str]:
        """Return what a run's folder says of it, where its copy lies."""
        place = self.file if self.is_package else f"{PLUGINS_FOLDER}/{self.name}"
        return {"file": place, "digest": self.digest}


def use_named_plugins(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Load the plug-ins that a raw scenario names, and put them, and no others, in force.

    Returns:
        The same scenario with file and digest of each.

    Raises:
        PydanticCustomError: One of them cannot be used.
    """
    named = raw.get("plugins", []) if isinstance(raw, dict) else []
    if not isinstance(named, list):  # or each name that the scenario has of them would be said to be wrong
        raise Inconsistency("plugins", f"write a list, such as [first, second], not {show(named)}").to_error()
    if not named:
        put_in_force(())
        return raw
    found = [(_load(item, f"plugins.{index}"), item) for index, item in enumerate(named)]
    keys = [{"file": _get_file(item), "digest": plugin.digest} for plugin, item in found]
    names = [Path(item["file"]).name for item in keys]
    doubled = next((index for index, name in enumerate(names) if name in names[:index]), None)
    if doubled is not None:
        file, former = keys[doubled]["file"], keys[names.index(names[doubled])]["file"]
        what = f"two plug-ins are called {names[doubled]}; rename one of the files"
        if file == former:
            what = f"{file.removeprefix(PACKAGE)} is named twice; leave one of them out"
        raise Inconsistency(f"plugins.{doubled}", what).to_error()
    try:
        put_in_force([plugin for plugin, _ in found])
    except PluginError as error:
        raise Inconsistency("plugins", str(error)).to_error() from None
    return {**raw, "plugins": keys}


def put_plugins_in_force(plugins: Sequence[PluginKeys]) -> None:
    """Put plug-ins that a scenario names, and no others, in force: another scenario may have been read meanwhile.

    Raises:
        PluginError: One of them cannot be used any more.
    """
    if [item.digest for item in plugins] != [plugin.digest for plugin in list_in_force()]:
        put_in_force([_open(item.file, item.digest) for item in plugins])


def _open(file: str, digest: str | None = None) -> Plugin:
    """Return a plug-in by what a scenario calls it.

    Raises:
        PluginError: It cannot be used.
    """
    if file.startswith(PACKAGE):
        return load_package(file.removeprefix(PACKAGE), digest)
    return load_plugin(Path(file), digest)


def pin_plugins(named: Sequence[Any]) -> list[Any]:
    """Return plug-ins that a raw scenario names with the digests of what they are now; others as they are."""
    return [_pin(item) for item in named]


def _pin(item: Any) -> Any:  # noqa: ANN401 - raw YAML
    file = _get_file(item)
    if not isinstance(item, str) or not isinstance(file, str):
        return item
    try:
        return {"file": file, "digest": _open(file).digest}
    except PluginError:  # told where the scenario is checked
        return item


def list_plugin_files(plugins: Sequence[PluginKeys]) -> dict[str, bytes]:
    """Return name and source of each file that a scenario names."""
    return {item.name: load_plugin(Path(item.file), item.digest).source for item in plugins if not item.is_package}


def _load(item: Any, where: str) -> Plugin:  # noqa: ANN401 - raw YAML
    file, digest = _get_file(item), item.get("digest") if isinstance(item, dict) else None
    is_mapping = isinstance(item, dict) and set(item) <= {"file", "digest"}
    if not isinstance(file, str) or not (is_mapping or isinstance(item, str)) or not isinstance(digest, str | None):
        raise Inconsistency(
            where, f"write the path of a file of Python, such as my_lab.py, not {show(item)}"
        ).to_error()
    if not file.isprintable() or not (file.startswith(PACKAGE) or Path(file).suffix == SUFFIX):
        what = "write the path of a file that ends in .py, or the name of an installed package"
        raise Inconsistency(where, f"{what}, not {show(file)}").to_error()
    try:
        return _open(file, digest)
    except PluginError as error:
        raise Inconsistency(where, str(error)).to_error() from None


def _get_file(item: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return what an item names: a path, or a package."""
    named = item.get("file") if isinstance(item, dict) else item
    return f"{PACKAGE}{named}" if isinstance(item, str) and _NAME.fullmatch(item) else named


def load_named_plugins(path: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a stored scenario once its plug-ins are loaded, which somebody must have allowed.

    Args:
        path: Its file, beside which the copies lie.
        raw: What stands there.

    Raises:
        ScenarioError: One of them may not be executed, is not what was recorded, or cannot be loaded.
    """
    named = raw.get("plugins")
    if not isinstance(named, list):
        _check_permitted({})
        return raw
    found = []
    for index, item in enumerate(named):
        file, digest = (item.get("file"), item.get("digest")) if isinstance(item, dict) else (None, None)
        if not isinstance(file, str) or not isinstance(digest, str):
            raise ScenarioError(f"{path}: plugins.{index}: no run has written this; write file and digest")
        if file.startswith(PACKAGE):  # code that its user has installed
            try:
                load_package(file.removeprefix(PACKAGE), digest)
            except PluginError as error:
                raise UntrustedPluginError(f"{path}: {error}; install the version that the run had") from None
            found.append({"file": file, "digest": digest})
            continue
        if file != f"{PLUGINS_FOLDER}/{Path(file).name}":
            raise ScenarioError(f"{path}: plugins.{index}.file: no run has written this; write a file in plugins/")
        place = path.parent / file
        try:
            load_stored_plugin(place, digest)
        except PluginError as error:
            raise UntrustedPluginError(str(error)) from None
        found.append({"file": str(place), "digest": digest})
    _check_permitted({item["digest"]: item["file"] for item in named})
    return {**raw, "plugins": found}


def _check_permitted(recorded: Mapping[str, str]) -> None:
    try:
        check_permitted(recorded)
    except PluginError as error:
        raise UntrustedPluginError(str(error)) from None
