"""Invariants that are judged record by record while a run goes on, so that the first offending event can be named.

- agreement: no two honest nodes hold different blocks under as many others as make a block final, or
  `CONFIRMATION_DEPTH` where none do, at any time of the run, unless the scenario lets them;
- refusal: no honest node signs, wraps or appends what it has refused;
- poison: no honest node appends a poisoned stage, unless the scenario has a tolerance that may let one through.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from protocol.mechanism import Mechanism
from simulation.records import Appended, Record, Rejected, Sent, Tally

CONFIRMATION_DEPTH: Final = 6
"""Blocks on top of a block after which honest nodes must no longer differ about it, where no mechanism says when."""

_FORGEABLE: Final = frozenset({"bad-signature", "wrong-body", "duplicate", "equivocation"})
"""Refusals that say nothing about the thing itself: the same header or block may come again and be right."""


def find_settled_depth(mechanism: Mechanism) -> int:
    """Return how many blocks on top of a block make honest nodes agree about it."""
    return CONFIRMATION_DEPTH if mechanism.final_depth is None else mechanism.final_depth


class InvariantMonitor:
    """Follows the records of a run; needs those of each party, so it sees little of runs that only count."""

    def __init__(
        self,
        honest: Collection[str],
        tally: Tally,
        *,
        must_agree: bool,
        is_exact: bool,
        depth: int = CONFIRMATION_DEPTH,
        detached: Collection[str] = (),
    ) -> None:
        """Watch some parties.

        Args:
            honest: Labels of the honest nodes.
            tally: Counts the same records, each before this sees it.
            must_agree: Whether the network is one in which they can agree at all.
            is_exact: Whether results are compared bit by bit, so that no poison can pass.
            depth: Blocks on top of a block after which they may no longer differ about it.
            detached: Refusals of a block for what its hash leaves out: it may come again and be right.
        """
        self._depth = depth
        self._forgeable = _FORGEABLE.union(detached)
        self._is_exact = is_exact
        self._must_agree = must_agree
        self.fault: str | None = None
        """The first broken invariant, in words."""
        self._honest = frozenset(honest)
        self._tally = tally
        self._number = 0
        self._events: dict[tuple[str, str], str] = {}
        """The event in which a party appended a block, in words."""
        self._refused: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """Headers and blocks each party has refused, and the event in words."""
        self._settled: dict[int, tuple[str, str]] = {}
        """Block that some honest node first had under enough others, by height, and that node."""

    def add(self, record: Record) -> None:
        """Look at one record of ``events.jsonl``; others must be left out, for the numbers to be right."""
        self._number += 1
        if record.who not in self._honest or self.fault is not None:
            return
        match fact := record.fact:
            case Appended():
                self._look_at_block(record, fact)
            case Rejected():
                self._remember_refusal(record, fact)
            case Sent(kind="stakeholder" | "block"):
                self._look_for_refusal(record, fact.header, f"{record.who} signed the header")

    def find_appended(self, who: str, block: str) -> str:
        """Return the event in which a party appended a block, in words; empty if it was not seen."""
        return self._events.get((who, block), "")

    def _look_at_block(self, record: Record, fact: Appended) -> None:
        block = fact.block
        self._events[record.who, block] = self._describe(record)
        self._look_for_refusal(record, block, f"{record.who} appended the block")
        if self._is_exact and self._tally.is_poisoned(block):
            self._break(record, f"poison: {record.who} appended {block}, a poisoned stage")
        if fact.head and self._must_agree:
            self._settle(record, block)

    def _settle(self, record: Record, head: str) -> None:
        """Hold the block that has become final for this node against what it is for others."""
        block = head
        for _ in range(self._depth):
            known = self._tally.blocks.get(block)
            if known is None:
                return
            block = known.parent
        found = self._tally.blocks.get(block)
        if found is None:
            return
        first, who = self._settled.setdefault(found.height, (block, record.who))
        if first != block:
            height, has = found.height, f"{record.who} has {block}"
            text = f"{has} at height {height} under {self._depth} others, {who} has {first}"
            if not self._depth:
                text = f"two final blocks at height {height}: {has}, {who} has {first}"
            self._break(record, f"agreement: {text}")

    def _remember_refusal(self, record: Record, fact: Rejected) -> None:
        subject = fact.header if fact.kind == "header" else fact.block if fact.kind == "block" else None
        if subject is not None and fact.reason not in self._forgeable:
            self._refused[record.who].setdefault(subject, f"{fact.reason}, {self._describe(record)}")

    def _look_for_refusal(self, record: Record, subject: str | None, what: str) -> None:
        before = self._refused[record.who].get(subject) if subject is not None else None
        if before is not None:
            self._break(record, f"refusal: {what} {subject}, which it had refused ({before})")

    def _break(self, record: Record, text: str) -> None:
        self.fault = self.fault or f"{text} ({self._describe(record)})"

    def _describe(self, record: Record) -> str:
        return f"event {self._number}, {record.time:.6f} s"
