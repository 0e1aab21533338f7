"""Tables of a run as DataFrames: what its logs and its chain tell, a row for each thing."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import pandas as pd

from protocol.types import MICRO_COINS_PER_COIN
from simulation.api.stored import warn_of_damage
from simulation.commands.provenance import (
    OpenedChain,
    describe_block,
    describe_event,
    describe_transaction,
    list_events,
)
from simulation.foundation import SimulationError, suggest
from simulation.records import Counted, Fact, Record, Rejected, RejectedCount, Tally, list_facts

Event = str | type[Fact]
"""The name of an event, such as `rejected`, or the type of its fact."""

_IN_COINS: Final = frozenset(
    {"amount", "balance", "bonded", "burnt", "created", "fee", "fees", "staked", "supply", "unbonding"}
)
"""Names of amounts, which a chain counts in micro-coins."""

_REFUSALS: Final = ("population", "kind", "reason", "by_honest", "count")


def choose_events(records: Iterable[Record], events: Iterable[Event | Iterable[Event]]) -> frozenset[str] | None:
    """Return the names of events that were asked for, one by one or in lists; None for all, where nothing was.

    Raises:
        SimulationError: There is no such event.
    """
    asked = tuple(events)
    if not asked:
        return None
    known = {kind.event for kind in list_facts()} | {record.event for record in records}
    chosen = set()
    for event in _flatten(asked):
        name = event.event if isinstance(event, type) and issubclass(event, Fact) else event
        if name not in known:
            raise SimulationError(f"records: {repr(name)[:80]} is no event of a run; {suggest(name, known)}")
        chosen.add(str(name))
    return frozenset(chosen)


def _flatten(events: Iterable[Event | Iterable[Event]]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, str | type) or not isinstance(event, Iterable):
            yield event
        else:
            yield from event


def frame_records(records: Iterable[Record], events: Collection[str] | None) -> pd.DataFrame:
    """Return records: when, how loud, who and what, and a column for each field that one of them has.

    Args:
        records: All there are.
        events: The names of those to return; None for all.
    """
    rows = [
        {"time": record.time, "level": record.level, "who": record.who, "event": record.event, **record.fields}
        for record in records
        if events is None or record.event in events
    ]
    return pd.DataFrame(rows, columns=None if rows else ["time", "level", "who", "event"])


def frame_refusals(records: Iterable[Record], tally: Tally) -> pd.DataFrame:
    """Return how often messages were refused: by who made them, what they were, why, and whether honest nodes judged.

    The author of a message that nobody has signed is unknown: it is charged to the neighbour that it came from.
    """
    counts: dict[tuple[str, str, str, bool], int] = {}
    honest = {label for label, node in tally.nodes.items() if node.role == "honest"} | {"employer"}
    for record in records:
        match record.fact:
            case Rejected(kind=kind, reason=reason, author=author, peer=peer):
                key = (_find_population(tally, author or peer), kind, reason, record.who in honest)
                counts[key] = counts.get(key, 0) + 1
            case Counted(part=RejectedCount(kind=kind, reason=reason, author=author, honest=is_honest), count=count):
                key = (author, kind, reason, is_honest)
                counts[key] = counts.get(key, 0) + count
    rows = [(*key, count) for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return pd.DataFrame(rows, columns=list(_REFUSALS))


def frame_chain(chain: OpenedChain) -> pd.DataFrame:
    """Return the blocks of a chain, the genesis first."""
    rows = []
    for record in chain.records:
        told = describe_block(chain, record)
        told["transactions"] = len(told.get("transactions", ()))
        proof = told.pop("proof", {})
        author = record.block.author if record.block is not None else b""
        told["author"] = chain.names.get(author, author.hex()) if author else None
        rows.append({**told, **{name: value for name, value in proof.items() if name not in told}})
    return _build(rows, "record", "deeds", "coinbase", "genesis", "accounts", "child")


def frame_transactions(chain: OpenedChain) -> pd.DataFrame:
    """Return the transfers of a chain, in their order."""
    rows = [describe_transaction(chain, *found) for found in chain.list_transactions()]
    return _build(rows, "record")


def frame_events(chain: OpenedChain) -> pd.DataFrame:
    """Return who did what for a chain, when, and for how many coins."""
    return _build([describe_event(chain, event) for event in list_events(chain)], "record")


def warn_of_fault(chain: OpenedChain) -> OpenedChain:
    """Return a chain, after a warning where not all of it holds."""
    if chain.fault is not None:
        warn_of_damage([f"{chain.fault}; only what is below it was looked at"])
    return chain


def _find_population(tally: Tally, label: str) -> str:
    node = tally.nodes.get(label)
    return node.population if node is not None else label


def _build(rows: Iterable[dict[str, Any]], *left_out: str) -> pd.DataFrame:
    return pd.DataFrame([dict(_convert(row, left_out)) for row in rows])


def _convert(row: dict[str, Any], left_out: Collection[str]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name not in left_out:
            is_amount = name in _IN_COINS and isinstance(value, int)
            yield name, value / MICRO_COINS_PER_COIN if is_amount else value
