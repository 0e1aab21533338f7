"""Checks a stored run again, offline: files, chain, logs, every figure, the model and, if wanted, the work itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from protocol.events import ChainRecord
from protocol.mechanisms import list_mechanisms
from protocol.rules import Rules
from simulation.analysis import find_supply_fault, walk_chain
from simulation.commands.checks.file_checks import ALWAYS, find_file_faults
from simulation.commands.checks.log_checks import find_events_fault, read_stored_log
from simulation.commands.checks.summary_checks import find_disagreements
from simulation.commands.checks.verification import Learn, StoredRun, Verification
from simulation.foundation import find_differences, find_part
from simulation.records import (
    CHAIN_NAME,
    EVENTS_NAME,
    LOG_NAME,
    MODEL_NAME,
    SCENARIO_NAME,
    SUMMARY_NAME,
    RecordError,
    parse_line,
)
from simulation.runs import ChainFileError, Summary, read_chain
from simulation.scenario import Scenario, ScenarioError, load_scenario, read_file
from simulation.scenario.world import World


class RunFolderError(ValueError):
    """The folder is not that of a run; the text says what is missing."""


def verify_run(
    folder: Path, *, is_retraining: bool, say: Callable[[str], None], dataset_path: str | None = None
) -> list[str]:
    """Return what is wrong with a stored run; nothing if it holds.

    Args:
        folder: The run's folder.
        is_retraining: Whether every stage is trained again and judged against that.
        say: Takes a line about each thing that was found right.
        dataset_path: Where the data set is now, where stages are trained again; None for where the scenario says.

    Raises:
        RunFolderError: The folder is not that of a finished run.
        DatasetError: Retraining needs a data set that cannot be had.
    """
    for name in (SUMMARY_NAME, *ALWAYS, MODEL_NAME):
        if (folder / name).exists() and not (folder / name).is_file():  # reading a pipe would wait for ever
            raise RunFolderError(f"{folder}: not the folder of a finished run: {name} is no file")
    summary, keys = _read_summary(folder), _read_keys(folder)
    scenario = _read_scenario(folder)
    try:
        mechanism, blocks = read_chain(folder / CHAIN_NAME)
    except ChainFileError as error:
        return [*_check_files(folder, summary, scenario, say), str(error)]
    rules = Rules(mechanism)
    run = StoredRun(folder=folder, scenario=scenario, keys=keys, rules=rules, blocks=blocks, dataset_path=dataset_path)
    own = _find_kind(mechanism.name)(run, say)
    faults = _check_files(folder, summary, scenario, say)
    is_model_as_listed = not any(fault.startswith(f"{MODEL_NAME}:") for fault in faults)
    if mechanism.name != scenario.mechanism.name:
        return [*faults, f"{CHAIN_NAME}: of {mechanism.name}, but {SCENARIO_NAME} says {scenario.mechanism.name}"]
    world, fault = _rebuild_world(own, summary)
    if world is None:
        return [*faults, str(fault)]
    learn, fault = own.work_again(world) if is_retraining else (None, None)
    chain, bad = _check_chain(run, learn) if fault is None else ([], fault)
    fault = bad or own.find_kept_fault()
    if fault:
        return [*faults, fault]
    say(f"chain: {len(blocks)} blocks re-checked from the genesis" + (own.describe_work() if is_retraining else ""))
    log = read_stored_log(own, world, chain)
    told = log.faults + [
        fault for fault in [find_events_fault(folder, is_repeatable=scenario.traits.is_repeatable)] if fault
    ]
    if not told:
        say(f"logs: {LOG_NAME} and {EVENTS_NAME} say the same, and what {SCENARIO_NAME} and {CHAIN_NAME} say")
    faults += told
    told = find_disagreements(summary, own, world, log, is_worked_again=is_retraining)
    if not told:
        say(f"{SUMMARY_NAME}: says what the chain and the log say")
    faults += told
    if is_model_as_listed:  # no other is worth opening
        fault = own.find_delivery_fault()
    return [*faults, fault] if fault else faults


def _read_summary(folder: Path) -> Summary:
    try:
        text = (folder / SUMMARY_NAME).read_text("utf-8")
        summary: Summary = json.loads(text, object_pairs_hook=_refuse_twins)
    except OSError as error:
        fault = f"{SUMMARY_NAME} cannot be read ({error.strerror}); write a folder below runs"
        raise RunFolderError(f"{folder}: not the folder of a finished run: {fault}") from None
    except (ValueError, RecursionError) as error:
        why = "is nested too deep" if isinstance(error, RecursionError) else "is not JSON, or has a key twice"
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} {why}") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("files"), dict):
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} lists no files")
    return summary


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _read_keys(folder: Path) -> dict[str, Any]:
    """Return the scenario as its file has it.

    Raises:
        RunFolderError: There is no scenario, or it is of a mechanism that is not known here.
    """
    try:
        raw = read_file(folder / SCENARIO_NAME)
    except ScenarioError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {error}") from None
    section = raw.get("mechanism")
    name = section.get("name") if isinstance(section, dict) else section
    if isinstance(name, str) and name not in list_mechanisms():
        known = ", ".join(list_mechanisms())
        raise RunFolderError(
            f"{folder}: a run of the mechanism {name!r}, which is not known here; there is only {known}"
        )
    return raw


def _read_scenario(folder: Path) -> Scenario:
    try:
        return load_scenario(folder / SCENARIO_NAME)
    except ScenarioError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {error}") from None


def _find_kind(name: str) -> type[Verification]:
    """Return what a mechanism adds."""
    return find_part(name, "verification") or Verification


def _check_files(folder: Path, summary: Summary, scenario: Scenario, say: Callable[[str], None]) -> list[str]:
    kept = tuple(_find_kind(scenario.mechanism.name).list_kept_folders(scenario))
    is_first_version = _is_of_first_version(folder)
    faults = find_file_faults(folder, summary["files"], scenario, kept, is_first_version=is_first_version)
    if not faults:
        say(f"files: {len(summary['files'])} match their digests")
    return faults


def _is_of_first_version(folder: Path) -> bool:
    """Return whether version 1.0 wrote a log: its closing record does not count events."""
    try:
        line = parse_line((folder / LOG_NAME).read_text("utf-8").rstrip("\n").rpartition("\n")[2])
    except (OSError, UnicodeDecodeError, RecordError):
        return False
    return line.event == "ended" and "events" not in line.fields


def _rebuild_world(own: Verification, summary: Summary) -> tuple[World | None, str | None]:
    """Return who took part, by the scenario; or in which way the chain begins with something else."""
    dataset = own.find_dataset() or _read_dataset(summary)
    try:
        world = own.build_world(*dataset)
    except ScenarioError as error:
        return None, f"{SCENARIO_NAME}: {error}"
    stored, wanted = _unfold(own.mechanism.genesis), _unfold(world.mechanism.genesis)
    for difference in find_differences(stored, wanted):
        return None, f"{CHAIN_NAME}: the genesis: {difference.describe(f'{SCENARIO_NAME} gives')}"
    if Rules(world.mechanism).chain_id != own.run.rules.chain_id:
        return None, f"{CHAIN_NAME}: not the chain that {SCENARIO_NAME} begins"
    return world, None


def _unfold(part: Any) -> Any:  # noqa: ANN401 - whatever a genesis is made of
    """Return a genesis as mappings and lists, for each of its values to have a name."""
    if isinstance(part, msgspec.Struct):
        return {name: _unfold(getattr(part, name)) for name in part.__struct_fields__}
    return [_unfold(item) for item in part] if isinstance(part, list | tuple) else part


def _read_dataset(summary: Summary) -> tuple[str, bytes]:
    """Return what a summary says of the data set; whether that is so is for others to say."""
    told = summary.get("dataset")
    name, digest = (told.get("name"), told.get("digest")) if isinstance(told, dict) else (None, None)
    try:
        return str(name), bytes.fromhex(str(digest))
    except ValueError:
        return str(name), b""


def _check_chain(run: StoredRun, learn: Learn | None) -> tuple[list[ChainRecord], str | None]:
    """Judge each block on its parent; return the chain after each, and what is wrong with the first bad one."""
    chain: list[ChainRecord] = [run.rules.origin]
    for step in walk_chain(run.rules, run.blocks, learn):
        height = step.block.height
        if not step.is_linked:
            return chain, f"{CHAIN_NAME}: the block at height {height} does not build on the one before it"
        if step.record is None:
            return chain, f"{CHAIN_NAME}: the block at height {height} is refused: {step.refusal}"
        fault = find_supply_fault(step.record)
        if fault is not None:
            return chain, f"{CHAIN_NAME}: at height {height}, {fault}"
        chain.append(step.record)
    return chain, None
