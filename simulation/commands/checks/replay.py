"""Feeds the journals of a stored run to fresh cores: the same inputs must give the same answers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from protocol.crypto import KeyPair
from protocol.light_client import LightClient
from protocol.node import Node
from protocol.participant import Participant
from protocol.rules import Rules
from simulation.engines import CachingRules
from simulation.engines.parties import END, RESTART, build_node, describe, find_words, unpack_event
from simulation.foundation import SimulationError
from simulation.records import CHAIN_NAME, JOURNAL_FOLDER, SCENARIO_NAME, SUMMARY_NAME
from simulation.runs import ChainFileError, read_chain
from simulation.scenario import ScenarioError, load_stored_scenario
from simulation.scenario.world import EMPLOYER, NodeSpec, build_world
from simulation.training import NO_DATA


class JournalError(SimulationError, ValueError):
    """A journal cannot be read; the text says where."""


def replay_run(folder: Path) -> Iterator[tuple[str, int, str | None]]:
    """Feed every journal of a run to a fresh core.

    Yields:
        Label of the party, number of its events, and the first difference in words, or None. A journal that is missing
        or cut off is a difference too; that of a party that crashed has no end.

    Raises:
        JournalError: There are no journals, or one of them or what belongs to it cannot be read.
    """
    files = sorted((folder / JOURNAL_FOLDER).glob("*.jsonl"))
    if not files:
        raise JournalError(f"{folder}: no journals; run the scenario with --set output.journal=true")
    try:
        scenario = load_stored_scenario(folder / SCENARIO_NAME)
        mechanism, _ = read_chain(folder / CHAIN_NAME)
    except (ScenarioError, ChainFileError) as error:
        raise JournalError(f"{folder}: {error}") from None
    world = replace(build_world(scenario, NO_DATA.name, bytes(32)), mechanism=mechanism)
    rules = CachingRules(world.mechanism)
    makers = {node.label: partial(_make_core, node, rules, world.network.is_relaying) for node in world.nodes}
    crashed = _list_crashed(folder)
    for label in sorted({*makers, EMPLOYER} - {file.stem for file in files} - crashed):
        yield label, 0, "its journal is missing"
    for file in files:
        if file.stem == EMPLOYER:
            make_core: Callable[[], Participant] = partial(LightClient, rules, KeyPair(world.employer_seed))
        elif file.stem in makers:
            make_core = makers[file.stem]
        else:
            raise JournalError(f"{file}: the scenario has no party {file.stem!r}")
        yield file.stem, *_replay(file, make_core, must_end=file.stem not in crashed)


def _list_crashed(folder: Path) -> frozenset[str]:
    """Return the parties that cannot have ended their journals, by the run's summary."""
    try:
        summary = json.loads((folder / SUMMARY_NAME).read_text("utf-8"))
        labels = {node["label"] for node in summary["nodes"] if node["outcome"] == "crashed"}
        return frozenset(labels | ({EMPLOYER} if summary["employer"]["outcome"] == "crashed" else set()))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(f"{file}: cannot be read: {error}") from None


def _replay(file: Path, make_core: Callable[[], Participant], *, must_end: bool) -> tuple[int, str | None]:
    core = make_core()
    mechanism = core.rules.mechanism
    words = find_words(mechanism)
    number, last, end = 0, 0, None
    for number, text in enumerate(_read_lines(file), start=1):
        try:
            line = json.loads(text)
            if end is not None:
                raise ValueError("it goes on after its end")
            if line["event"] == END:
                end = int(line["lines"])
                continue
            if line["event"] == RESTART:
                before, core = core, make_core()
                if line["disk"] and isinstance(core, Node) and isinstance(before, Node):
                    core.restore(before)
                continue
            event, now, recorded = unpack_event(line, mechanism, words), int(line["now"]), list(line["commands"])
            if now < last:
                raise ValueError("its time is before that of the line above")
            last = now
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{file}:{number}: not a journal line: {error}") from None
        replayed = [describe(command, words) for command in core.handle(event, now)]
        if replayed != recorded:
            return number, _find_difference(number, line["event"], recorded, replayed)
    if end is None:
        return number, "its journal is cut off: the closing line is missing" if must_end else None
    return end, None if end == number - 1 else f"its journal has {number - 1} lines, its closing line says {end}"


def _make_core(spec: NodeSpec, rules: Rules, is_relaying: bool) -> Participant:
    return build_node(spec, rules, is_relaying=is_relaying)[0]


def _find_difference(number: int, event: str, recorded: list[str], replayed: list[str]) -> str:
    for index in range(max(len(recorded), len(replayed))):
        one = recorded[index] if index < len(recorded) else "nothing"
        other = replayed[index] if index < len(replayed) else "nothing"
        if one != other:
            return f"event {number} ({event}): recorded {one!r}, replayed {other!r}"
    return f"event {number} ({event}): no difference"
