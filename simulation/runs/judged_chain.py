"""A stored chain, judged from the genesis up: how far it holds, and which block is the first that does not."""

from collections.abc import Callable
from dataclasses import dataclass

from protocol.events import ChainRecord
from protocol.rules import Rules
from simulation.analysis import find_supply_fault, walk_chain
from simulation.records import CHAIN_NAME, short_hash
from simulation.runs.chain_file import StoredChain


@dataclass(frozen=True, slots=True)
class JudgedChain:
    """What of a stored chain holds."""

    rules: Rules
    records: tuple[ChainRecord, ...]
    """The genesis, and each block that holds, with the ledger after it."""
    fault: str | None
    """The first block that does not hold, by height and hash, and why; None where the whole file holds."""


def judge_chain(stored: StoredChain, learn: Callable[[ChainRecord], object] | None = None) -> JudgedChain:
    """Judge each block on the one before it, up to the first that does not hold or cannot be read.

    Args:
        stored: The chain as its file has it.
        learn: What the judge knows by its own work on a parent; by default nothing, as a light client.
    """
    rules = Rules(stored.mechanism)
    records: list[ChainRecord] = [rules.origin]
    for step in walk_chain(rules, stored.blocks, learn):
        height, block = step.height, f"(block {short_hash(rules.hash_message(step.block))})"
        if not step.is_linked:
            fault = f"the block at height {height} does not build on the one before it {block}"
        elif step.record is None:
            fault = f"the block at height {height} is refused: {step.refusal} {block}"
        else:
            supply_fault = find_supply_fault(step.record)
            if supply_fault is None:
                records.append(step.record)
                continue
            fault = f"at height {height}, {supply_fault} {block}"
        return JudgedChain(rules, tuple(records), f"{CHAIN_NAME}: {fault}")
    damage = stored.damage and f"{stored.damage}; the block at height {len(records)} cannot be read"
    return JudgedChain(rules, tuple(records), damage)
