"""Whether ``summary.json`` says what the chain and the log beside it say."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.records import CHAIN_NAME, LOG_NAME, SUMMARY_NAME, LogError, read_log, short_hash
from simulation.runs import Summary, compute_ledger, describe_tally


def find_disagreements(
    folder: Path, summary: Summary, rules: Rules, blocks: Sequence[AnyBlock], known: Mapping[str, Summary]
) -> list[str]:
    """Return where a summary says something else than the run's other files.

    Args:
        folder: The run's folder.
        summary: What is doubted.
        rules: Those of the stored chain.
        blocks: The stored chain, which is valid.
        known: Sections of a summary that the mechanism knows, by where it knows them from.
    """
    sources = {CHAIN_NAME: {**known.get(CHAIN_NAME, {}), **_read_chain(summary, rules, blocks)}}
    sources |= {name: facts for name, facts in known.items() if name != CHAIN_NAME}
    try:
        log = read_log(folder / LOG_NAME)
    except LogError:
        pass  # whether it is missing or damaged is for its digest to say
    else:
        if not log.warnings:
            sources[LOG_NAME] = describe_tally(log.tally)
    told = dict(_flatten(summary, ""))
    return [
        f"{SUMMARY_NAME}: {name} is {_show(told, name)}, {source} says {json.dumps(value)}"
        for source, facts in sources.items()
        for name, value in _flatten(facts, "")
        if name not in told or told[name] != value
    ]


def _read_chain(summary: Summary, rules: Rules, blocks: Sequence[AnyBlock]) -> Summary:
    """Return what follows from a chain alone; it is the employer's, or, if that has crashed, that of most nodes."""
    employer = summary.get("employer")
    has_crashed = isinstance(employer, dict) and employer.get("outcome") == "crashed"
    facts: Summary = {"ledger": compute_ledger(rules.genesis, blocks)}
    if blocks:
        head = short_hash(rules.hash_message(blocks[-1]))
        facts["chain" if has_crashed else "employer"] = {"height": blocks[-1].height, "head": head}
    elif not has_crashed:
        facts["employer"] = {"height": 0, "head": "genesis"}
    return facts


def _flatten(part: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield values by dotted name; sections without any are left out."""
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _show(told: Mapping[str, Any], name: str) -> str:
    return json.dumps(told[name]) if name in told else "missing"
