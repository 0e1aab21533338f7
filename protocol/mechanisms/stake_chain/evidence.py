"""Two blocks for one slot: how evidence is judged, and what its author loses."""

from collections.abc import Iterable
from typing import Final

from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.mechanism import RulesView
from protocol.mechanisms.stake_chain.genesis import StakeGenesis
from protocol.mechanisms.stake_chain.messages import Evidence, StakedBlock, get_header, restore_block
from protocol.mechanisms.stake_chain.reasons import StakeReason
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, Reject, Verdict

MAX_EVIDENCE: Final = 4
"""Pieces of evidence that a block may hold; each costs its judges two signatures."""

MAX_PAYOUTS: Final = 1
"""Payouts that a header in evidence may have, as a right one has: else whoever is ready to lose a small bond could make
blocks so large that they fit no answer to who catches up."""

Right = tuple[int, AccountId]
"""Slot and author: one block may be made with it."""


def get_right(evidence: Evidence) -> Right:
    """Return the right that has been used twice, as the first header has it."""
    return evidence.first.slot, evidence.first.author


def can_lose(state: LedgerState, owner: AccountId) -> bool:
    """Return whether an account has anything locked that could be taken, be it on its way back."""
    return state.get_account(owner).bond.locked > 0


def judge_evidence(
    rules: RulesView, genesis: StakeGenesis, state: LedgerState, punished: frozenset[Right], block: StakedBlock
) -> Verdict:
    """Judge a block's evidence by the ledger below it."""
    if len(block.evidence) > (MAX_EVIDENCE if genesis.slashed else 0):
        return Reject(StakeReason.TOO_MUCH_EVIDENCE)
    seen: set[Right] = set()
    for item in block.evidence:
        is_fat = max(len(item.first.coinbase), len(item.second.coinbase)) > MAX_PAYOUTS
        if is_fat or item.first.slot > block.slot or not is_proof(rules, item):
            return Reject(StakeReason.FORGED_EVIDENCE)
        right = get_right(item)
        if right in punished or right in seen:
            return Reject(StakeReason.DOUBLED_EVIDENCE)
        if not can_lose(state, item.first.author):
            return Reject(StakeReason.NOTHING_TO_SLASH)
        seen.add(right)
    return ACCEPT


def is_proof(rules: RulesView, evidence: Evidence) -> bool:
    """Return whether one author has signed two headers for one slot, the one with the lower hash first."""
    first, second = restore_block(evidence.first), restore_block(evidence.second)
    is_one_right = (first.slot, first.author) == (second.slot, second.author)
    is_ordered = rules.hash_message(first) < rules.hash_message(second)
    return is_one_right and is_ordered and rules.is_signed(first) and rules.is_signed(second)


def slash(genesis: StakeGenesis, state: LedgerState, block: StakedBlock) -> LedgerState:
    """Return the ledger without what the evidence of a judged block takes; nobody gets it.

    Whoever got a part could be its own accuser, and keep that part.
    """
    for item in block.evidence:
        state = state.slash(item.first.author, genesis.slashed, genesis.bonding, block.height)
    return state


def collect_evidence(
    rules: RulesView,
    doubled: Iterable[tuple[ChainRecord, ChainRecord]],
    state: LedgerState,
    punished: frozenset[Right],
) -> tuple[Evidence, ...]:
    """Return the evidence that a block on top of a ledger may hold, from blocks of one right that a node knows."""
    found: list[Evidence] = []
    for records in doubled:
        first, second = (item.block for item in sorted(records, key=lambda record: record.hash))
        if not isinstance(first, StakedBlock) or not isinstance(second, StakedBlock):
            continue
        is_new = (first.slot, first.author) not in punished
        if is_new and can_lose(state, first.author):
            found.append(Evidence(first=get_header(first), second=get_header(second)))
    return tuple(found[:MAX_EVIDENCE])
