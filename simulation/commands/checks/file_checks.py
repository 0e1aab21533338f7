"""Whether a run's folder holds the files that its summary lists, and no others."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from simulation.foundation import show_value
from simulation.records import (
    CERTIFICATE_NAME,
    CHAIN_NAME,
    EVENTS_NAME,
    JOURNAL_FOLDER,
    LOG_NAME,
    MODEL_NAME,
    SCENARIO_NAME,
    SUMMARY_NAME,
    compute_file_digest,
)
from simulation.scenario import PLUGINS_FOLDER, Scenario

ALWAYS: Final = (SCENARIO_NAME, LOG_NAME, EVENTS_NAME, CHAIN_NAME)
"""What every finished run has."""

FORMER_PICTURES: Final = ("chain.png", "training.png")
"""Pictures of version 1.0, whose summaries did not list them."""


def find_file_faults(
    folder: Path, listed: Mapping[str, Any], scenario: Scenario, kept: Collection[str], *, is_first_version: bool
) -> list[str]:
    """Return what is wrong with the files of a run's folder.

    Args:
        folder: The run's folder.
        listed: The digest of each file, by the summary.
        scenario: What was run, which decides what there may be.
        kept: Folders whose files have names that say what they hold.
        is_first_version: Whether version 1.0 ran it, whose summaries list neither pictures nor journals.
    """
    inner = (JOURNAL_FOLDER, PLUGINS_FOLDER) if scenario.plugins else (JOURNAL_FOLDER,)
    there = dict(_walk(folder, kept, inner))
    unlisted_may_be = _list_former(scenario) if is_first_version else ()
    faults = [f"{name}: missing" for name in ALWAYS if name not in there]
    for name, digest in listed.items():
        if not _may_be_there(name, scenario):
            faults.append(f"{SUMMARY_NAME}: files lists {show_value(name)}, which no run of this scenario leaves")
        elif name not in there:
            faults += [f"{name}: missing"] if name not in ALWAYS else []
        elif there[name]:
            faults += _check_digest(folder, name, digest)
    for name, is_file in there.items():
        if not is_file:
            faults.append(f"{name}: no run of this scenario leaves this")
        elif name not in listed and name != SUMMARY_NAME and name not in unlisted_may_be:
            faults.append(f"{name}: {SUMMARY_NAME} does not list it among the files")
    return faults + _find_plugin_faults(folder, scenario)


def _find_plugin_faults(folder: Path, scenario: Scenario) -> list[str]:
    """Return which copies of plug-ins are not what the scenario says was executed."""
    faults = []
    for item in scenario.plugins:
        if item.is_package:
            continue
        name = f"{PLUGINS_FOLDER}/{item.name}"
        if not (folder / name).is_file():
            faults.append(f"{name}: missing")
        elif (found := compute_file_digest(folder / name)) != item.digest:
            faults.append(f"{name}: not what {SCENARIO_NAME} says (SHA-256 {found[:12]}, recorded {item.digest[:12]})")
    return faults


def _walk(folder: Path, kept: Collection[str], inner: Collection[str]) -> Iterator[tuple[str, bool]]:
    """Yield the path of each file below a folder, and whether it may be read; folders with another use are none.

    Args:
        folder: The run's folder.
        kept: Folders that are looked into by others.
        inner: Folders whose files are yielded too.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        if here == Path():
            folders[:] = [name for name in folders if name not in kept]
        for name in folders:
            if (here / name).as_posix() not in inner or (Path(place) / name).is_symlink():
                yield f"{(here / name).as_posix()}/", False
        folders[:] = [name for name in folders if (here / name).as_posix() in inner]
        for name in files:
            yield (here / name).as_posix(), (Path(place) / name).is_file()


def _may_be_there(name: str, scenario: Scenario) -> bool:
    if name in (*ALWAYS, CERTIFICATE_NAME, MODEL_NAME):
        return True
    if name in {item.to_stored()["file"] for item in scenario.plugins}:
        return True
    path = Path(name)
    if scenario.output.pictures and path.name == name and path.suffix == ".png":
        return True
    return scenario.output.journal and name in _list_journals(scenario)


def _list_journals(scenario: Scenario) -> Collection[str]:
    return {f"{JOURNAL_FOLDER}/{label}.jsonl" for label in (*scenario.list_labels(), "employer")}


def _list_former(scenario: Scenario) -> Collection[str]:
    pictures = FORMER_PICTURES if scenario.output.pictures else ()
    return {*pictures, *(_list_journals(scenario) if scenario.output.journal else ())}


def _check_digest(folder: Path, name: str, digest: object) -> list[str]:
    try:
        found = compute_file_digest(folder / name)
    except OSError as error:
        return [f"{name}: cannot be read: {error.strerror}"]
    if found == digest:
        return []
    return [f"{name}: changed since the run (SHA-256 {found[:12]}, recorded {str(digest)[:12]})"]
