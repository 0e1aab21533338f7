"""What must hold after every run, whatever the scenario did to it.

A broken invariant is a bug, and ends the run with exit 1.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import msgspec

from protocol.ledger import LedgerError
from protocol.lottery import compute_slot_start
from protocol.messages import WrappedBlock
from protocol.rewards import compute_subsidy
from protocol.validation import Place, PoTRecord, Rules
from protocol.verdicts import ACCEPT, Ignore, Reject
from simulation.population import World
from simulation.tally import Tally

CONFIRMATION_DEPTH: Final = 6
"""Blocks on top of a block after which honest nodes must no longer differ about it."""


def find_broken(world: World, tally: Tally, chains: Mapping[str, Sequence[bytes]]) -> str | None:
    """Return the first broken invariant in words, or None.

    Args:
        world: Who took part.
        tally: What was counted.
        chains: Canonical blocks of each party's chain, lowest first.
    """
    labels = world.get_honest()
    honest = {label: tuple(chain) for label, chain in chains.items() if label in labels}
    fault = _find_disagreement(honest)
    rules = Rules(world.genesis)
    for chain in sorted(set(honest.values())):
        fault = fault or find_chain_fault(rules, chain)
    return fault or _find_poison(tally)


def _find_disagreement(chains: Mapping[str, tuple[bytes, ...]]) -> str | None:
    """Agreement: no two honest nodes differ below the confirmation depth."""
    by_chain = {chain: label for label, chain in chains.items()}
    for first, second in combinations(sorted(by_chain), 2):
        settled = min(len(first), len(second)) - CONFIRMATION_DEPTH
        for height, (one, other) in enumerate(zip(first[: max(settled, 0)], second, strict=False), start=1):
            if one != other:
                return f"agreement: {by_chain[first]} and {by_chain[second]} differ about the block at height {height}"
    return None


def find_chain_fault(rules: Rules, chain: Sequence[bytes]) -> str | None:
    """Validity, supply and double spends of one chain, from the genesis up."""
    parent: PoTRecord = rules.origin
    supply = parent.state.supply
    spent: set[tuple[bytes, int]] = set()
    for height, packed in enumerate(chain, start=1):
        block = msgspec.msgpack.decode(packed, type=WrappedBlock)
        now = compute_slot_start(block.header.slot, rules.genesis.parameters.slot_ns)
        verdict = rules.judge_block(Place(rules=rules, parent=parent, now=now, own=None), block)
        if verdict is not ACCEPT or block.parent != parent.hash:
            reason = verdict.reason.value if isinstance(verdict, Reject | Ignore) else "it has another parent"
            return f"validity: the block at height {height} is refused: {reason}"
        for transaction in block.transactions:
            if (transaction.author, transaction.nonce) in spent:
                return f"double spend: a transfer stands twice in the chain, again at height {height}"
            spent.add((transaction.author, transaction.nonce))
        parent = rules.build_record(parent, block)
        supply += compute_subsidy(height)
        try:
            parent.state.check_supply()
        except LedgerError as error:
            return f"supply: at height {height}, {error}"
        if parent.state.supply != supply:
            return f"supply: {parent.state.supply} micro-coins at height {height}, {supply} were issued"
    return None


def _find_poison(tally: Tally) -> str | None:
    """No honest chain holds a poisoned stage."""
    count = tally.count_poisoned_honest()
    return f"poison: {count} poisoned stages in honest chains" if count else None
