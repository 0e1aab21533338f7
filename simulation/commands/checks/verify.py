"""Checks a stored run again, offline: files, chain, signatures, summary, delivery and, if wanted, the work itself."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.analysis import find_supply_fault, walk_chain
from simulation.commands.checks.summary_checks import find_disagreements
from simulation.commands.checks.verification import Learn, Verification
from simulation.foundation import find_part
from simulation.records import CHAIN_NAME, SCENARIO_NAME, SUMMARY_NAME, compute_file_digest
from simulation.runs import ChainFileError, Summary, read_chain
from simulation.scenario import Scenario, ScenarioError, load_scenario


class RunFolderError(ValueError):
    """The folder is not that of a run; the text says what is missing."""


def verify_run(folder: Path, *, is_retraining: bool, say: Callable[[str], None]) -> list[str]:
    """Return what is wrong with a stored run; nothing if it holds.

    Args:
        folder: The run's folder.
        is_retraining: Whether every stage is trained again and judged against that.
        say: Takes a line about each thing that was found right.

    Raises:
        RunFolderError: The folder is not that of a finished run.
        DatasetError: Retraining needs a data set that cannot be had.
    """
    summary, scenario = _read_summary(folder), _read_scenario(folder)
    faults = _check_files(folder, summary)
    if not faults:
        say(f"files: {len(summary['files'])} match their digests")
    try:
        mechanism, blocks = read_chain(folder / CHAIN_NAME)
    except ChainFileError as error:
        return [*faults, str(error)]
    if mechanism.name != scenario.mechanism.name:
        return [*faults, f"{CHAIN_NAME}: of {mechanism.name}, but {SCENARIO_NAME} says {scenario.mechanism.name}"]
    kind: type[Verification] = find_part(mechanism.name, "verification") or Verification
    rules = Rules(mechanism)
    own = kind(folder, rules, blocks, scenario, say)
    learn, fault = own.work_again() if is_retraining else (None, None)
    fault = fault or _check_chain(rules, blocks, learn) or own.find_kept_fault()
    if fault:
        return [*faults, fault]
    say(f"chain: {len(blocks)} blocks re-checked from the genesis" + (own.describe_work() if is_retraining else ""))
    told = find_disagreements(folder, summary, rules, blocks, own.list_facts(is_worked_again=is_retraining))
    faults += told
    if not told:
        say(f"{SUMMARY_NAME}: says what the chain and the log say")
    fault = own.find_delivery_fault()
    return [*faults, fault] if fault else faults


def _read_summary(folder: Path) -> Summary:
    try:
        summary: Summary = json.loads((folder / SUMMARY_NAME).read_text("utf-8"))
    except OSError as error:
        fault = f"{SUMMARY_NAME} cannot be read ({error.strerror}); write a folder below runs"
        raise RunFolderError(f"{folder}: not the folder of a finished run: {fault}") from None
    except ValueError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME}: {error}") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("files"), dict):
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} lists no files")
    return summary


def _read_scenario(folder: Path) -> Scenario:
    try:
        return load_scenario(folder / SCENARIO_NAME)
    except ScenarioError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {error}") from None


def _check_files(folder: Path, summary: Summary) -> list[str]:
    faults = []
    for name, digest in summary["files"].items():
        try:
            found = compute_file_digest(folder / name)
        except OSError:
            faults.append(f"{name}: missing")
            continue
        if found != digest:
            faults.append(f"{name}: changed since the run (SHA-256 {found[:12]}, recorded {str(digest)[:12]})")
    return faults


def _check_chain(rules: Rules, blocks: Sequence[AnyBlock], learn: Learn | None) -> str | None:
    """Judge each block on its parent; return what is wrong with the first bad one."""
    for step in walk_chain(rules, blocks, learn):
        height = step.block.height
        if not step.is_linked:
            return f"{CHAIN_NAME}: the block at height {height} does not build on the one before it"
        if step.record is None:
            return f"{CHAIN_NAME}: the block at height {height} is refused: {step.refusal}"
        fault = find_supply_fault(step.record)
        if fault is not None:
            return f"{CHAIN_NAME}: at height {height}, {fault}"
    return None
