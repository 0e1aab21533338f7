"""Checks a stored run again, offline: files, chain, logs, every figure, the model and, if wanted, the work itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol.mechanisms import list_mechanisms
from protocol.rules import Rules
from simulation.commands.checks.file_checks import ALWAYS, find_file_faults
from simulation.commands.checks.genesis_checks import rebuild_world
from simulation.commands.checks.log_checks import find_events_fault, read_stored_log
from simulation.commands.checks.summary_checks import find_disagreements
from simulation.commands.checks.verification import StoredRun, Verification
from simulation.foundation import SimulationError, find_part, read_json
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
from simulation.runs import ChainFileError, Summary, judge_chain, read_stored_chain
from simulation.scenario import Scenario, ScenarioError, UntrustedPluginError, load_stored_scenario, read_file


class RunFolderError(SimulationError, ValueError):
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
    summary, keys = read_summary(folder), _read_raw(folder)
    scenario = _read_scenario(folder, keys)
    try:
        stored = read_stored_chain(folder / CHAIN_NAME)
    except ChainFileError as error:
        return [*_check_files(folder, summary, scenario, say), str(error)]
    if stored.damage is not None:
        return [*_check_files(folder, summary, scenario, say), str(judge_chain(stored).fault)]
    mechanism, blocks = stored.mechanism, stored.blocks
    rules = Rules(mechanism)
    run = StoredRun(folder=folder, scenario=scenario, keys=keys, rules=rules, blocks=blocks, dataset_path=dataset_path)
    own = _find_kind(mechanism.name)(run, say)
    faults = _check_files(folder, summary, scenario, say)
    is_model_as_listed = not any(fault.startswith(f"{MODEL_NAME}:") for fault in faults)
    if mechanism.name != scenario.mechanism.name:
        return [*faults, f"{CHAIN_NAME}: of {mechanism.name}, but {SCENARIO_NAME} says {scenario.mechanism.name}"]
    world, fault = rebuild_world(own, summary)
    if world is None:
        return [*faults, str(fault)]
    learn, fault = own.work_again(world) if is_retraining else (None, None)
    judged = judge_chain(stored, learn) if fault is None else None
    chain = judged.records if judged is not None else ()
    fault = (judged.fault if judged is not None else fault) or own.find_kept_fault()
    if fault:
        return [*faults, fault]
    say(f"chain: {len(blocks)} blocks re-checked from the genesis" + (own.describe_work() if is_retraining else ""))
    if mechanism.stamp_bits:
        say(f"stamps: each transfer shows {mechanism.stamp_bits} zero bits or more")
    log = read_stored_log(own, world, chain)
    different = find_events_fault(folder, is_repeatable=scenario.traits.is_repeatable)
    told = [*log.faults, *([different] if different else [])]
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


def read_summary(folder: Path) -> Summary:
    """Return the summary of a run.

    Raises:
        RunFolderError: The folder is not that of a finished run.
    """
    try:
        summary: Summary = read_json((folder / SUMMARY_NAME).read_bytes())
    except OSError as error:
        fault = f"{SUMMARY_NAME} cannot be read ({error.strerror}); write a folder below runs, or a certificate.json"
        raise RunFolderError(f"{folder}: not the folder of a finished run: {fault}") from None
    except ValueError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME}: {error}") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("files"), dict):
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} lists no files")
    return summary


def _read_raw(folder: Path) -> dict[str, Any]:
    """Return the scenario as its file has it."""
    try:
        return read_file(folder / SCENARIO_NAME)
    except ScenarioError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {error}") from None


def _check_mechanism(folder: Path, raw: dict[str, Any]) -> None:
    """Refuse a run of a mechanism that is not known here."""
    section = raw.get("mechanism")
    name = section.get("name") if isinstance(section, dict) else section
    if isinstance(name, str) and name not in list_mechanisms():
        known = ", ".join(list_mechanisms())
        raise RunFolderError(
            f"{folder}: a run of the mechanism {name!r}, which is not known here; there is only {known}"
        )


def _read_scenario(folder: Path, raw: dict[str, Any]) -> Scenario:
    if "plugins" not in raw:
        _check_mechanism(folder, raw)
    try:
        return load_stored_scenario(folder / SCENARIO_NAME)
    except UntrustedPluginError as error:
        raise RunFolderError(str(error)) from None
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
