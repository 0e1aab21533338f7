"""Walking a chain from the genesis up: each block is judged on the one before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from protocol.ledger import LedgerError
from protocol.lottery import compute_slot_start
from protocol.messages import WrappedBlock
from protocol.validation import OwnTraining, Place, PoTRecord, Rules
from protocol.verdicts import ACCEPT, Ignore, Reject, Verdict

Knowledge = tuple[OwnTraining | None, bool | None]
"""What a judge knows of the stage on a parent: its own training, and whether the block's weights are near to it."""

NO_KNOWLEDGE: Knowledge = (None, None)


@dataclass(frozen=True, slots=True)
class Step:
    """One block of a chain, and what it comes to on the block before it."""

    height: int
    """Its place in the chain, counted from 1; the block may say something else."""
    block: WrappedBlock
    is_linked: bool
    """Whether it names the block before it as its parent."""
    refusal: str | None
    """Why it is refused; None where it is accepted."""
    record: PoTRecord | None
    """The state after it; None where it is not linked or refused, which ends the walk."""


def walk_chain(
    rules: Rules, blocks: Iterable[WrappedBlock], learn: Callable[[PoTRecord], Knowledge] | None = None
) -> Iterator[Step]:
    """Judge each block on the one before it, up to the first that is not linked or refused.

    Args:
        rules: Those of the chain.
        blocks: The chain, lowest block first.
        learn: What the judge knows of the stage on a parent; by default nothing, as a light client.
    """
    parent = rules.origin
    for height, block in enumerate(blocks, start=1):
        own, is_near = learn(parent) if learn is not None else NO_KNOWLEDGE
        now = compute_slot_start(block.header.slot, rules.genesis.parameters.slot_ns)
        verdict = rules.judge_block(Place(rules=rules, parent=parent, now=now, own=own, is_near=is_near), block)
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


def find_supply_fault(record: PoTRecord) -> str | None:
    """Return how the coins in a block's state differ from the supply, in words, or None."""
    try:
        record.state.check_supply()
    except LedgerError as error:
        return str(error)
    return None
