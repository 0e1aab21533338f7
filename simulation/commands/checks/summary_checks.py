"""Whether ``summary.json`` says what the chain and the log beside it say."""

from typing import Any, Final

from simulation.analysis import measure_blocks
from simulation.commands.checks.log_checks import StoredLog
from simulation.commands.checks.verification import StoredRun, Verification
from simulation.foundation import Difference, find_differences
from simulation.records import CHAIN_NAME, LOG_NAME, SUMMARY_NAME, Tally, short_hash
from simulation.runs import Summary, build_summary, compute_ledger
from simulation.scenario.world import World

SECONDS: Final = "measures.blocks.seconds_each"
ROUNDING: Final = 2e-6
"""How far that figure of version 1.0, which was made of times before they were rounded, may lie from the log's."""

_LATER_OF_LEDGER: Final = ("users_transactions", "strangers_accounts", "strangers_coins")
"""Figures of the ledger that version 1.0 did not have."""


def find_disagreements(
    summary: Summary, own: Verification, world: World, log: StoredLog, *, is_worked_again: bool
) -> list[str]:
    """Return where a summary says something else than the run's other files, a sentence for each place.

    Args:
        summary: What is doubted.
        own: What the mechanism adds; its run has a valid chain.
        world: Who took part, by the scenario.
        log: The stored log.
        is_worked_again: Whether the work was done again.
    """
    known = own.list_facts(is_worked_again=is_worked_again)
    told = {name: value for name, value in summary.items() if name != "files"}
    chain = _merge(known.get(CHAIN_NAME, {}), _read_chain(summary, own.run))
    found: dict[str, str] = {}
    for source, facts in {CHAIN_NAME: chain, **{name: known[name] for name in known if name != CHAIN_NAME}}.items():
        for difference in find_differences(_pick(told, facts), facts):
            found.setdefault(difference.place, difference.describe(f"{source} says"))
    if log.is_whole:
        wanted = _rebuild(summary, own.run, world, log)
        for difference in find_differences(told, wanted):
            if not _is_rounded(difference, log.observer.tally):
                found.setdefault(difference.place, difference.describe(f"{LOG_NAME} says"))
    return [f"{SUMMARY_NAME}: {text}" for text in found.values()]


def _read_chain(summary: Summary, run: StoredRun) -> Summary:
    """Return what follows from a chain alone; it is the employer's, or, if that has crashed, that of most nodes."""
    rules, blocks = run.rules, run.blocks
    employer = summary.get("employer")
    has_crashed = isinstance(employer, dict) and employer.get("outcome") == "crashed"
    facts: Summary = {"ledger": compute_ledger(rules.mechanism, blocks)}
    if blocks:
        head = short_hash(rules.hash_message(blocks[-1]))
        facts["chain" if has_crashed else "employer"] = {"height": blocks[-1].height, "head": head}
    elif not has_crashed:
        facts["employer"] = {"height": 0, "head": "genesis"}
    return facts


def _rebuild(summary: Summary, run: StoredRun, world: World, log: StoredLog) -> Summary:
    """Return the summary that the run must have written, without the list of files."""
    tally = log.observer.tally
    samples = tally.get_opening().samples or 0
    rebuilt = build_summary(world, tally, map(run.rules.encode, run.blocks), samples)
    events = tally.end.events if tally.end is not None else None
    if events is None:  # version 1.0 did not log how many there were: whatever its summary says has to be believed
        rebuilt, events = _say_as_first_version(rebuilt, tally), summary.get("events")
    return {**rebuilt, "broken_invariant": log.broken, "events": events}


def _say_as_first_version(rebuilt: Summary, tally: Tally) -> Summary:
    """Return a summary as version 1.0 wrote it.

    There detection was counted over all messages, a declaration as often as it was sent, the time to a block from the
    start of the run, and some figures not at all.
    """
    measures = dict(rebuilt["measures"])
    detection, blocks = dict(measures["detection"]), dict(measures["blocks"])
    counted, repeated = detection.pop("all_messages"), blocks.pop("declarations_repeated_each")
    for later in ("reorganisations", "settled_undone", "last_replaced"):
        del blocks[later]
    shares = {name: counted[name] for name in ("precision", "recall", "false_rejection")}
    blocks["seconds_each"] = measure_blocks(tally, since=0.0)["seconds_each"]
    if blocks["declarations_each"] is not None and repeated is not None:
        blocks["declarations_each"] += repeated
    measures.pop("proposed", None)
    measures |= {"detection": {**shares, "by_kind": detection["by_kind"]}, "blocks": blocks}
    training = {name: value for name, value in rebuilt["training"].items() if name != "shares"}
    ledger = {name: value for name, value in rebuilt["ledger"].items() if name not in _LATER_OF_LEDGER}
    return {**rebuilt, "measures": measures, "training": training, "ledger": ledger}


def _pick(told: Any, facts: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands where something is known, and nothing else."""
    if not (isinstance(told, dict) and isinstance(facts, dict)):
        return told
    return {name: _pick(told[name], facts[name]) for name in facts if name in told}


def _merge(first: Summary, second: Summary) -> Summary:
    """Return the facts of both; a section may stand in each."""
    sections = {**first, **second}
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in sections}


def _is_rounded(difference: Difference, tally: Tally) -> bool:
    """Return whether a figure of version 1.0 lies as near to the log's as its rounding allows."""
    told, wanted = difference.told, difference.wanted
    is_first = tally.end is not None and tally.end.events is None
    is_known = is_first and difference.place == SECONDS and isinstance(told, float) and isinstance(wanted, float)
    return is_known and abs(told - wanted) <= ROUNDING
