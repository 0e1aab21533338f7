"""Two blocks for one slot: what proves it, what is no proof, and what it costs."""

from typing import Any

import msgspec
import pytest

from protocol.codec import encode_frame
from protocol.events import Broadcast, MessageReceived, RightUsedTwice, Started, Timer, TimerFired
from protocol.mechanisms.stake_chain.evidence import MAX_EVIDENCE
from protocol.mechanisms.stake_chain.messages import Evidence, StakedBlock, get_header, restore_block
from protocol.mechanisms.stake_chain.reasons import StakeReason, StakeTimer
from protocol.messages import Payout
from protocol.node import Node
from protocol.rules import Rules
from protocol.verdicts import ACCEPT, ChainReason, Reject
from tests.protocol.mechanisms.stake_chain.chains import DELAY, STAKE, Chain, make_stake
from tests.support.core import SLOT_NS, STRANGER, keys


@pytest.fixture
def chain() -> Chain:
    """A chain in which the leader of slot 2 has made two blocks, neither of which is in it."""
    made = Chain(make_stake(5, length=30))
    made.grow(1)
    return made


def find_index(chain: Chain, owner: bytes | None) -> int:
    return next(index for index in range(5) if keys(index).public == owner)


def find_honest(chain: Chain, first: int, culprit: bytes) -> int:
    """Return a slot that somebody else leads."""
    return next(slot for slot in range(first, first + 50) if chain.find_leader(slot) != culprit)


def test_evidence_takes_the_coins_of_its_author_and_nobody_gets_them(chain: Chain) -> None:
    first, second = chain.double(2)
    culprit = first.author
    before = chain.tip.state
    chain.grow(find_honest(chain, 3, culprit), evidence=(chain.accuse(first, second),))
    after = chain.tip.state
    assert after.stakes.get_stake(culprit) == 0
    assert after.burnt == STAKE
    created = sum(payout.amount for payout in chain.tip.block.coinbase) if chain.tip.block else 0
    assert after.supply == before.supply + created - STAKE
    later = chain.find_slot(find_index(chain, culprit), chain.tip.slot + 1)
    assert chain.judge(chain.build(later)) == Reject(ChainReason.NOT_BONDED)


def test_a_part_may_be_taken_and_of_what_is_on_its_way_back_too() -> None:
    chain = Chain(make_stake(5, length=30, slashed=100_000))
    chain.grow(1)
    first, second = chain.double(2)
    culprit = find_index(chain, first.author)
    honest = find_honest(chain, 3, first.author)
    chain.grow(honest, transactions=(chain.withdraw(culprit, STAKE // 2),))
    chain.grow(find_honest(chain, honest + 1, first.author), evidence=(chain.accuse(first, second),))
    bond = chain.tip.state.get_account(first.author).bond
    # Nine tenths of a half are less than the least stake, so that all of it is on its way back.
    assert (bond.stake, bond.leaving, chain.tip.state.burnt) == (0, STAKE * 9 // 10, STAKE // 10)


def test_evidence_in_the_very_block_that_gives_coins_back_takes_them_all_the_same() -> None:
    chain = Chain(make_stake(5, length=30))
    chain.grow(1)
    first, second = chain.double(2)
    culprit = find_index(chain, first.author)
    slot = 2
    for number in range(DELAY):
        slot = find_honest(chain, slot + 1, first.author)
        chain.grow(slot, transactions=(chain.withdraw(culprit, STAKE),) if not number else ())
    before = chain.tip.state.get_account(first.author)
    assert before.bond.leaving == STAKE
    due = find_honest(chain, slot + 1, first.author)
    chain.grow(due, evidence=(chain.accuse(first, second),))
    after = chain.tip.state.get_account(first.author)
    assert (after.bond.locked, chain.tip.state.burnt, after.balance) == (0, STAKE, before.balance)


def make_cases(chain: Chain) -> dict[str, tuple[tuple[Evidence, ...], StakeReason | None]]:
    first, second = chain.double(2)
    proof = chain.accuse(first, second)
    other = next(slot for slot in range(3, 50) if chain.find_leader(slot) == first.author)
    elsewhere = chain.build(other)
    victim = next(index for index in range(5) if keys(index).public != first.author)
    forged = msgspec.structs.replace(second, author=keys(victim).public)
    stranger = [
        keys(STRANGER).sign(chain.rules.chain_id, msgspec.structs.replace(block, author=keys(STRANGER).public))
        for block in (first, second)
    ]
    stranger.sort(key=chain.rules.hash_message)
    tail = msgspec.structs.replace(second, signature=bytes(64))
    future = sorted((chain.build(90, author=0, coinbase=()), chain.build(90, author=0)), key=chain.rules.hash_message)
    payouts = tuple(Payout(account=bytes([number]) * 32, amount=1) for number in (1, 2))
    fat = sorted((chain.build(2, coinbase=payouts[:count]) for count in (1, 2)), key=chain.rules.hash_message)
    return {
        "right": ((proof,), None),
        "with more payouts than a block has": ((chain.accuse(fat[0], fat[1]),), StakeReason.FORGED_EVIDENCE),
        "twice in one block": ((proof, proof), StakeReason.DOUBLED_EVIDENCE),
        "one block twice": ((chain.accuse(first, first),), StakeReason.FORGED_EVIDENCE),
        "in the wrong order": ((chain.accuse(second, first),), StakeReason.FORGED_EVIDENCE),
        "two slots": ((chain.accuse(first, elsewhere),), StakeReason.FORGED_EVIDENCE),
        "two authors": ((chain.accuse(first, forged),), StakeReason.FORGED_EVIDENCE),
        "not signed": ((chain.accuse(first, tail),), StakeReason.FORGED_EVIDENCE),
        "a slot to come": ((chain.accuse(future[0], future[1]),), StakeReason.FORGED_EVIDENCE),
        "a stranger's": ((chain.accuse(stranger[0], stranger[1]),), StakeReason.NOTHING_TO_SLASH),
        "too much": ((proof,) * (MAX_EVIDENCE + 1), StakeReason.TOO_MUCH_EVIDENCE),
    }


CASES = list(make_cases(Chain(make_stake(5, length=30))))


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_proof_is_refused_with_its_reason(chain: Chain, name: str) -> None:
    evidence, reason = make_cases(chain)[name]
    slot = find_honest(chain, 3, chain.find_leader(2) or b"")
    verdict = chain.judge(chain.build(slot, evidence=evidence))
    assert verdict == (ACCEPT if reason is None else Reject(reason))


def test_a_slot_costs_its_author_once(chain: Chain) -> None:
    part = Chain(make_stake(5, length=30, slashed=100_000))
    part.grow(1)
    first, second = part.double(2)
    evidence = (part.accuse(first, second),)
    part.grow(find_honest(part, 3, first.author), evidence=evidence)
    again = part.build(find_honest(part, part.tip.slot + 1, first.author), evidence=evidence)
    assert part.judge(again) == Reject(StakeReason.DOUBLED_EVIDENCE)


def test_none_is_taken_without_slashing() -> None:
    chain = Chain(make_stake(5, slashed=0))
    chain.grow(1)
    block = chain.build(3, evidence=(chain.accuse(*chain.double(2)),))
    assert chain.judge(block) == Reject(StakeReason.TOO_MUCH_EVIDENCE)


def test_evidence_is_part_of_what_the_header_commits_to(chain: Chain) -> None:
    evidence = (chain.accuse(*chain.double(2)),)
    block = chain.build(find_honest(chain, 3, evidence[0].first.author), evidence=evidence)
    assert restore_block(get_header(block)) == msgspec.structs.replace(block, transactions=(), evidence=())
    stripped = msgspec.structs.replace(block, evidence=())
    assert chain.rules.hash_message(stripped) == chain.rules.hash_message(block)
    assert chain.judge(stripped) == Reject(ChainReason.WRONG_BODY)


class TestValidator:
    def start(self, mechanism: Any, index: int = 0, slot: int = 0) -> Node:
        node = Node(Rules(mechanism), keys(index))
        node.handle(Started(), slot * SLOT_NS)
        return node

    def tell(self, node: Node, block: StakedBlock, slot: int = 29) -> list[Any]:
        frame = encode_frame(node.rules.chain_id, block)
        return node.handle(MessageReceived("peer", frame), slot * SLOT_NS)

    def ring(self, node: Node, slot: int) -> list[StakedBlock]:
        """Ring in a slot; return the blocks that the node makes."""
        timer = Timer(StakeTimer.LEAD, slot, node.tree.head.hash)
        commands = node.handle(TimerFired(timer), slot * SLOT_NS)
        return [c.message for c in commands if isinstance(c, Broadcast) and isinstance(c.message, StakedBlock)]

    def test_it_accuses_whom_it_has_seen_to_make_two(self) -> None:
        chain = Chain(make_stake(5, length=30))
        first, second = chain.double(1)
        honest = next(index for index in range(5) if keys(index).public != first.author)
        node = self.start(chain.mechanism, honest)
        self.tell(node, first, 1)
        assert any(isinstance(command, RightUsedTwice) for command in self.tell(node, second, 1))
        (block,) = self.ring(node, chain.find_slot(honest))
        assert block.evidence == (chain.accuse(first, second),)
        assert not node.tree.head.state.get_account(first.author).bond.locked

    def test_it_makes_one_block_for_a_slot_on_whatever_head(self) -> None:
        chain = Chain(make_stake(5, length=30))
        slot = chain.find_slot(0, 3)
        node = self.start(chain.mechanism)
        (block,) = self.ring(node, slot)
        rival = chain.build(1, author=find_index(chain, chain.find_leader(1)))
        chain.tip = chain.rules.build_record(chain.tip, rival)
        higher = chain.build(2)
        for other in (rival, higher):
            self.tell(node, other, slot)
        assert node.tree.head.hash == chain.rules.hash_message(higher)
        assert block.slot == slot
        assert self.ring(node, slot) == []

    def test_one_that_has_forgotten_signs_nothing_in_the_slot_it_starts_in(self) -> None:
        chain = Chain(make_stake(1, length=30))
        before = self.start(chain.mechanism, slot=2)
        assert self.ring(before, 2) == []
        assert [block.slot for block in self.ring(before, 3)] == [3]
        after = Node(Rules(chain.mechanism), keys(0))
        after.restore(before)
        after.handle(Started(), 3 * SLOT_NS)
        assert self.ring(after, 3) == []
        assert [block.slot for block in self.ring(after, 4)] == [4]

    def test_it_waits_for_its_slot(self) -> None:
        chain = Chain(make_stake(5, length=30))
        node = self.start(chain.mechanism)
        own = chain.find_slot(0)
        other = next(slot for slot in range(1, 50) if chain.find_leader(slot) != keys(0).public)
        assert self.ring(node, other) == []
        if other < own:
            assert [block.slot for block in self.ring(node, own)] == [own]
