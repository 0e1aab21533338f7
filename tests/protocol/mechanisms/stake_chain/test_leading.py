"""Who leads a slot: drawn by stake, by a seed that nobody can choose, and judged by everybody alike."""

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from protocol.crypto import Domain, compute_hash
from protocol.mechanisms.stake_chain.drawing import Draw, is_opening
from protocol.mechanisms.stake_chain.messages import NO_REVEAL
from protocol.mechanisms.stake_chain.reasons import StakeReason
from protocol.mechanisms.stake_chain.secrets import Secrets, compute_step
from protocol.stakes import StakeTable
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, ChainReason, LedgerReason, Reject
from tests.protocol.mechanisms.stake_chain.chains import DELAY, STAKE, Chain, make_stake
from tests.support.core import keys
from tests.support.goodness import has_shares


def make_draw(stakes: list[int], seed: int = 0) -> Draw:
    drawn_by = compute_hash(Domain(b"test"), seed.to_bytes(4, "big"))
    return Draw(drawn_by, StakeTable({keys(i).public: stake for i, stake in enumerate(stakes)}), (b"", b"", 0))


class TestShares:
    SLOTS = 12_000

    def count(self, stakes: list[int]) -> list[int]:
        draw = make_draw(stakes)
        led = Counter(draw.find_leader(slot) for slot in range(self.SLOTS))
        return [led[keys(index).public] for index in range(len(stakes))]

    def test_slots_are_led_in_proportion_to_stake(self) -> None:
        stakes = [1, 2, 3, 6]
        assert has_shares(self.count(stakes), [float(stake) for stake in stakes])
        assert not has_shares(self.count(stakes), [1.0] * 4)

    def test_twice_the_deposit_leads_twice_as_often(self) -> None:
        before, after = self.count([10, 30, 30, 30]), self.count([20, 30, 30, 30])
        assert has_shares([before[0], self.SLOTS - before[0]], [0.1, 0.9])
        assert has_shares([after[0], self.SLOTS - after[0]], [2 / 11, 9 / 11])

    def test_nobody_leads_where_nothing_is_bonded(self) -> None:
        assert make_draw([]).find_leader(5) is None

    def test_a_leader_follows_from_seed_and_slot_alone(self) -> None:
        leaders = [make_draw([5, 5, 5]).find_leader(slot) for slot in range(50)]
        assert leaders == [make_draw([5, 5, 5]).find_leader(slot) for slot in range(50)]
        assert leaders != [make_draw([5, 5, 5], seed=1).find_leader(slot) for slot in range(50)]


class TestJudging:
    def test_the_leader_of_a_slot_may_make_a_block_and_nobody_else(self) -> None:
        chain = Chain(make_stake())
        leader = chain.find_leader(1)
        verdicts = {index: chain.judge(chain.build(1, author=index)) for index in range(4)}
        for index, verdict in verdicts.items():
            is_leader = keys(index).public == leader
            assert verdict == (ACCEPT if is_leader else Reject(StakeReason.NOT_LEADER))

    def test_a_slot_is_good_for_one_block_of_a_branch(self) -> None:
        chain = Chain(make_stake())
        chain.grow(3)
        assert chain.judge(chain.build(3)) == Reject(StakeReason.SLOT_TAKEN)
        assert chain.judge(chain.build(2)) == Reject(ChainReason.SLOT_BEFORE_PARENT)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"height": 2}, ChainReason.WRONG_HEIGHT),
            ({"body": bytes(32)}, ChainReason.WRONG_BODY),
            ({"coinbase": ()}, LedgerReason.WRONG_COINBASE),
        ],
    )
    def test_what_is_wrong_is_named(self, change: dict[str, Any], reason: Any) -> None:
        chain = Chain(make_stake())
        assert chain.judge(chain.build(1, **change)) == Reject(reason)

    def test_nobody_leads_any_more_who_has_unbonded_all(self) -> None:
        chain = Chain(make_stake(2, length=20, epoch_slots=50))
        chain.grow(transactions=(chain.withdraw(0, STAKE),))
        for _ in range(DELAY):  # while its coins can be taken it may
            assert chain.judge(chain.build(chain.find_slot(0))) is ACCEPT
            chain.grow(chain.find_slot(1))
        assert chain.judge(chain.build(chain.find_slot(0))) == Reject(ChainReason.NOT_BONDED)
        assert chain.judge(chain.build(chain.find_slot(1))) is ACCEPT

    def test_a_deposit_counts_three_epochs_later_and_not_before(self) -> None:
        """Whoever bonds coins must not know the seed that they will be drawn by."""
        chain = Chain(make_stake(stakes=[STAKE, 0], length=40))
        chain.grow(1, transactions=(chain.deposit(1, 40 * STAKE),))
        late = keys(1).public
        assert not any(chain.find_leader(slot) == late for slot in range(2, 12))
        assert sum(chain.find_leader(slot) == late for slot in range(12, 52)) > 30

    def test_a_withdrawal_is_back_after_the_delay(self) -> None:
        chain = Chain(make_stake(2, length=20))
        chain.grow(transactions=(chain.withdraw(0, STAKE // 2),))
        before = chain.tip.state.get_account(keys(0).public)
        for _ in range(DELAY):
            assert chain.tip.state.get_account(keys(0).public).bond.leaving == STAKE // 2
            chain.grow(chain.find_slot(1))
        after = chain.tip.state.get_account(keys(0).public)
        assert after.balance == before.balance + STAKE // 2
        assert after.bond.leaving == 0


class TestSecrets:
    def test_each_opens_the_one_before_and_all_follow_from_the_key(self) -> None:
        one, again = (Secrets(keys(0), bytes(32), 5) for _ in range(2))
        values = [one.get(made) for made in range(6)]
        assert all(compute_step(later) == earlier for earlier, later in pairwise(values))
        assert [again.get(made) for made in range(6)] == values
        assert Secrets(keys(1), bytes(32), 5).get(0) != values[0]
        assert Secrets(keys(0), b"\1" * 32, 5).get(0) != values[0]

    def test_only_what_was_committed_to_can_be_shown(self) -> None:
        chain = Chain(make_stake(1, length=9))
        chain.grow()
        for false in (bytes(32), chain.secrets[keys(0).public].get(2), chain.secrets[keys(0).public].get(0)):
            assert chain.judge(chain.build(reveal=false)) == Reject(StakeReason.BAD_REVEAL)
        assert chain.judge(chain.build()) is ACCEPT

    def test_what_is_shown_in_the_epoch_of_a_first_block_is_not_mixed_in(self) -> None:
        """Its author has chosen it when it may have known all others."""
        chain = Chain(make_stake(1, length=9))
        origin = self.get_mix(chain)
        for slot in (1, 2, 3):
            chain.grow(slot)
            assert self.get_mix(chain) == origin
        chain.grow(4)
        assert self.get_mix(chain) != origin

    def get_mix(self, chain: Chain) -> Hash32:
        return chain.mechanism.find_books(chain.rules, chain.tip).closings[-1].mix

    def test_nothing_else_in_a_block_changes_who_leads(self) -> None:
        plain, other = (Chain(make_stake(4, length=40)) for _ in range(2))
        for slot in range(1, 20):
            plain.grow(slot)
            other.grow(slot, transactions=(other.pay(slot % 4, keys(3).public, slot),))
        assert plain.tip.hash != other.tip.hash
        later = range(20, 60)
        assert [plain.find_leader(slot) for slot in later] == [other.find_leader(slot) for slot in later]

    def test_a_silent_leader_changes_who_leads_two_epochs_later(self) -> None:
        """The one bit that is left to it, and why it is left: see docs/stake_chain.md."""
        plain, silent = (Chain(make_stake(4, length=60)) for _ in range(2))
        for slot in range(1, 12):
            plain.grow(slot)
            if slot != 11:  # the last one of the third epoch, whose secrets count from the fifth on
                silent.grow(slot)
        for slots, are_same in ((range(12, 16), True), (range(16, 40), False)):
            led = [[chain.find_leader(slot) for slot in slots] for chain in (plain, silent)]
            assert (led[0] == led[1]) is are_same

    def test_books_stay_small(self) -> None:
        chain = Chain(make_stake(2, length=90))
        for slot in range(1, 80, 2):
            chain.grow(slot)
            assert len(chain.mechanism.find_books(chain.rules, chain.tip).closings) <= 4

    def test_draws_follow_from_what_they_are_named_by(self) -> None:
        """A schedule that is remembered under a draw's name must not be another's."""
        found: dict[Any, Any] = {}
        for skipped in (1, 6, 7, 9, 13, 14):
            chain = Chain(make_stake(3, length=90))
            for slot in range(1, 30):
                if slot != skipped:
                    chain.grow(slot)
                for epoch in range(slot // 4, slot // 4 + 3):
                    draw = chain.mechanism.find_draw(chain.rules, chain.tip, epoch)
                    assert found.setdefault(draw.key, (draw.seed, draw.stakes)) == (draw.seed, draw.stakes)


class TestNaiveSeed:
    def test_whoever_makes_a_block_can_try_until_it_leads_the_next_slot(self) -> None:
        """A chance of 1 - (1 - a)^k for k tries and a share a; with secrets, tries change nothing."""
        tries, slots = 4, 150
        won = {"parent_hash": 0, "reveals": 0}
        for drawn_by in won:
            chain = Chain(make_stake(4, length=slots + 1, drawn_by=drawn_by))
            for slot in range(1, slots):
                author = chain.find_leader(slot)
                for number in range(tries):
                    paid = (chain.pay(0, keys(1).public, number),)
                    record = chain.rules.build_record(chain.tip, chain.build(slot, transactions=paid))
                    if chain.find_leader(slot + 1, record) == author:
                        won[drawn_by] += 1
                        break
                chain.tip = record
        share = 1 - (1 - 1 / 4) ** tries
        assert has_shares([won["parent_hash"], slots - 1 - won["parent_hash"]], [share, 1 - share])
        assert has_shares([won["reveals"], slots - 1 - won["reveals"]], [1 / 4, 3 / 4])

    def test_it_has_nothing_to_show(self) -> None:
        chain = Chain(make_stake(drawn_by="parent_hash"))
        block = chain.build(1)
        assert block.reveal == NO_REVEAL
        shown = chain.sign(msgspec.structs.replace(block, reveal=b"\1" * 32))
        assert chain.judge(shown) == Reject(StakeReason.BAD_REVEAL)


def test_a_first_block_may_show_anything() -> None:
    chain = Chain(make_stake())
    books = chain.mechanism.find_books(chain.rules, chain.tip)
    assert is_opening(books, keys(0).public, bytes(32))
