"""Walking a chain from the genesis up: each block is judged on the one before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from protocol.events import ChainRecord
from protocol.ledger import LedgerError, LedgerState
from protocol.mechanism import Context, Mechanism
from protocol.messages import AnyBlock
from protocol.rules import Rules
from protocol.slots import compute_slot_start
from protocol.verdicts import ACCEPT, Ignore, Reject, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One block of a chain, and what it comes to on the block before it."""

    height: int
    """Its place in the chain, counted from 1; the block may say something else."""
    block: AnyBlock
    is_linked: bool
    """Whether it names the block before it as its parent."""
    refusal: str | None
    """Why it is refused; None where it is accepted."""
    record: ChainRecord | None
    """The state after it; None where it is not linked or refused, which ends the walk."""


def walk_chain(
    rules: Rules, blocks: Iterable[AnyBlock], learn: Callable[[ChainRecord], object] | None = None
) -> Iterator[Step]:
    """Judge each block on the one before it, up to the first that is not linked or refused.

    Args:
        rules: Those of the chain.
        blocks: The chain, lowest block first.
        learn: What the judge knows by its own work on a parent; by default nothing, as a light client.
    """
    parent = rules.origin
    for height, block in enumerate(blocks, start=1):
        own = learn(parent) if learn is not None else None
        now = compute_slot_start(block.slot, rules.chain.slot_ns)
        verdict = rules.judge_in_full(Context(rules=rules, parent=parent, now=now, own=own), block)
        is_linked = block.parent == parent.hash
        if verdict is not ACCEPT or not is_linked:
            yield Step(height, block, is_linked, _explain(verdict), None)
            return
        parent = rules.build_record(parent, block)
        yield Step(height, block, is_linked, None, parent)


def _explain(verdict: Verdict) -> str | None:
    if verdict is ACCEPT:
        return None
    return verdict.reason.value if isinstance(verdict, Reject | Ignore) else "not judged"


def find_last_state(mechanism: Mechanism, blocks: Iterable[AnyBlock]) -> LedgerState:
    """Return the ledger after a chain whose blocks are known to be valid, lowest first."""
    rules = Rules(mechanism)
    record = rules.origin
    for block in blocks:
        record = rules.build_record(record, block)
    return record.state


def find_supply_fault(record: ChainRecord) -> str | None:
    """Return how the coins in a block's state differ from the supply, in words, or None."""
    try:
        record.state.check_supply()
    except LedgerError as error:
        return str(error)
    return None
