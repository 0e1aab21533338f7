"""What a block by work must show, what it pays, how hard the next one is, and how a node looks for one."""

from typing import Any

import msgspec
import pytest

from benchmarks.law_samples import WANTED_TRIES, collect_tries
from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainRecord,
    Command,
    Event,
    Judged,
    MessageReceived,
    Started,
    StartWork,
    WorkFinished,
)
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_work import ProofOfWork, work
from protocol.mechanisms.proof_of_work.difficulty import find_target, find_target_of_bits
from protocol.mechanisms.proof_of_work.genesis import HashName
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.reasons import WorkReason
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_guess, compute_header_digest, search
from protocol.messages import BlockResponse, Payout, Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.subsidy import compute_subsidy
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reason, Reject, Verdict
from tests.protocol.mechanisms.proof_of_work.chains import HASHES, make_work
from tests.support.core import SLOT_NS, STRANGER, keys
from tests.support.goodness import fits, follow_geometric

NOW = 400 * SLOT_NS


def mine(
    rules: Rules,
    parent: ChainRecord,
    slot: int,
    *,
    pair: KeyPair | None = None,
    transactions: tuple[Transaction, ...] = (),
    **changes: Any,
) -> WorkedBlock:
    """Return a block that was worked for; ``changes`` replace fields of its header before the work."""
    mechanism, pair = rules.mechanism, pair or keys(0)
    assert isinstance(mechanism, ProofOfWork)
    template = mechanism.build_template(parent, pair.public, slot, transactions)
    template = msgspec.structs.replace(template, **changes)
    digest = compute_header_digest(rules.chain_id, template)
    nonce = search(mechanism.genesis.hash_name, SearchNonce(digest, template.target, 0), 1_000_000).nonce
    assert nonce is not None
    return pair.sign(rules.chain_id, msgspec.structs.replace(template, nonce=nonce))


def grow(rules: Rules, slots: list[int], parent: ChainRecord | None = None) -> ChainRecord:
    """Return the last record of a branch with blocks of these slots."""
    record = parent or rules.origin
    for slot in slots:
        record = rules.build_record(record, mine(rules, record, slot))
    return record


def judge(rules: Rules, block: WorkedBlock) -> Verdict:
    """Return what a party without work of its own says of a block on the genesis."""
    client = LightClient(rules, keys(1000))
    commands = client.handle(MessageReceived("peer", encode_frame(rules.chain_id, block)), NOW)
    return next(command.verdict for command in commands if isinstance(command, Judged))


class TestJudging:
    def test_whoever_worked_may_have_made_a_block_with_no_bond_at_all(self) -> None:
        rules = Rules(make_work())
        assert judge(rules, mine(rules, rules.origin, 3, pair=keys(STRANGER))) is ACCEPT

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"target": find_target(HASHES) * 2}, WorkReason.WRONG_TARGET),
            ({"target": find_target(HASHES) // 2}, WorkReason.WRONG_TARGET),
            ({"window_start": 1}, WorkReason.WRONG_WINDOW),
            ({"body": bytes(32)}, ChainReason.WRONG_BODY),
            ({"coinbase": ()}, LedgerReason.WRONG_COINBASE),
            ({"height": 2}, ChainReason.WRONG_HEIGHT),
        ],
    )
    def test_work_does_not_make_a_wrong_header_right(self, changes: dict[str, Any], reason: Reason) -> None:
        rules = Rules(make_work())
        assert judge(rules, mine(rules, rules.origin, 3, **changes)) == Reject(reason)

    def test_a_slot_that_is_still_to_come_blames_nobody(self) -> None:
        rules = Rules(make_work())
        assert judge(rules, mine(rules, rules.origin, 401)) == Ignore(ChainReason.FUTURE_SLOT)

    def test_a_nonce_that_was_never_worked_for_is_refused(self) -> None:
        rules = Rules(make_work())
        block = mine(rules, rules.origin, 3)
        for nonce in range(block.nonce):
            guessed = keys(0).sign(rules.chain_id, msgspec.structs.replace(block, nonce=nonce))
            assert judge(rules, guessed) == Reject(WorkReason.BAD_WORK)
            if nonce > 20:
                break

    def test_work_cannot_be_taken_over_by_another_miner(self) -> None:
        rules = Rules(make_work())
        block = mine(rules, rules.origin, 3)
        coinbase = (Payout(account=keys(1).public, amount=block.coinbase[0].amount),)
        stolen = msgspec.structs.replace(block, author=keys(1).public, coinbase=coinbase)
        assert judge(rules, keys(1).sign(rules.chain_id, stolen)) == Reject(WorkReason.BAD_WORK)

    @pytest.mark.parametrize("proof", ["hashes", "stand_in"])
    def test_a_nonce_is_no_proof_where_the_chain_asks_for_the_other_kind(self, proof: str) -> None:
        other = Rules(make_work(proof="stand_in" if proof == "hashes" else "hashes"))
        rules = Rules(make_work(proof=proof))
        template = make_work().build_template(other.origin, keys(0).public, 3, ())
        digest = compute_header_digest(other.chain_id, template)
        nonce = work.compute_stand_in(digest) if proof == "hashes" else mine(rules, rules.origin, 3).nonce
        block = msgspec.structs.replace(template, nonce=nonce, parent=rules.chain_id)
        assert judge(rules, keys(0).sign(rules.chain_id, block)) == Reject(WorkReason.BAD_WORK)

    @pytest.mark.parametrize("bits", [15, 16, 17])
    def test_a_target_in_bits_counts_leading_zeros(self, bits: int) -> None:
        guess = 2**48 - 1  # sixteen zeros, then ones
        assert (guess < find_target_of_bits(bits)) == (bits <= 16)

    def test_checking_a_nonce_takes_one_evaluation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rules, calls = Rules(make_work()), 0
        block = mine(rules, rules.origin, 3)
        plain = work.HASHES["sha256"]

        def count(data: bytes) -> Any:
            nonlocal calls
            calls += 1
            return plain(data)

        monkeypatch.setattr(work, "HASHES", {"sha256": count})
        assert judge(rules, block) is ACCEPT
        assert calls == 2  # one hash of one hash


class TestPaying:
    @pytest.mark.parametrize("fee", [0, 7, 2_000_000_000])
    @pytest.mark.parametrize(
        ("reward", "created"),
        [
            ("issuance", lambda fee: max(compute_subsidy(1) - fee, 0)),
            ("fees", lambda fee: 0),
            ("both", lambda fee: compute_subsidy(1)),
        ],
    )
    def test_the_supply_grows_by_what_is_new(self, reward: str, created: Any, fee: int) -> None:
        plain = make_work().genesis.accounts
        rich = tuple(msgspec.structs.replace(line, balance=10**10) for line in plain)
        rules = Rules(make_work(reward=reward, accounts=rich))
        paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=fee)
        block = mine(rules, rules.origin, 3, transactions=(keys(1).sign(rules.chain_id, paid),))
        assert judge(rules, block) is ACCEPT
        state = rules.build_record(rules.origin, block).state
        state.check_supply()
        assert state.supply - rules.origin.state.supply == created(fee)


class TestDifficulty:
    def test_it_changes_after_each_window_and_not_before(self) -> None:
        rules = Rules(make_work(length=6))
        first = find_target(HASHES)
        record, targets, starts = rules.origin, [], []
        for slot in (1, 2, 3, 10, 11):  # two blocks should take four slots
            record = grow(rules, [slot], record)
            assert isinstance(record.block, WorkedBlock)
            targets.append(record.block.target)
            starts.append(record.block.window_start)
        second = first * 2 // 4
        assert targets == [first, first, second, second, second * 8 // 4]
        assert starts == [0, 0, 2, 2, 10]

    def test_it_changes_no_more_than_the_clamp_allows(self) -> None:
        rules = Rules(make_work(length=6))
        first = find_target(HASHES)
        for slots, target in (([0, 0, 0], first // 4), ([100, 200, 200], first * 4)):
            block = grow(rules, slots).block
            assert isinstance(block, WorkedBlock)
            assert block.target == target

    def test_without_a_window_it_never_changes(self) -> None:
        rules = Rules(make_work(length=6, window=0))
        block = grow(rules, [50, 90, 90, 90]).block
        assert isinstance(block, WorkedBlock)
        assert (block.target, block.window_start) == (find_target(HASHES), 0)

    def test_most_work_wins_and_not_most_blocks(self) -> None:
        rules = Rules(make_work(length=9))
        hard = grow(rules, [1, 1, 2, 2, 2])  # too fast: the later ones are up to sixteen times as hard
        client = LightClient(rules, keys(1000))
        easy: ChainRecord = rules.origin
        for slot in (50, 100, 150, 200, 201, 201):
            easy = grow(rules, [slot], easy)
            send(client, rules, easy)
        assert client.tree.head.hash == easy.hash
        for record in walk(rules, [1, 1, 2, 2, 2]):
            send(client, rules, record)
        assert hard.height < easy.height
        assert hard.weight > easy.weight
        assert client.tree.head.hash == hard.hash


def walk(rules: Rules, slots: list[int]) -> list[ChainRecord]:
    """Return all records of the branch that `grow` makes of these slots."""
    return [grow(rules, slots[: count + 1]) for count in range(len(slots))]


def send(client: LightClient, rules: Rules, record: ChainRecord) -> None:
    assert record.block is not None
    client.handle(MessageReceived("peer", encode_frame(rules.chain_id, record.block)), NOW)


class TestSearching:
    @pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
    def test_it_goes_on_where_it_stopped_and_ends(self, hash_name: HashName) -> None:
        target, digest, start, tried = find_target(2_000), bytes(32), 0, 0
        while (found := search(hash_name, SearchNonce(digest, target, start), 100)).nonce is None:
            assert found.tried == 100
            start, tried = start + 100, tried + found.tried
        assert found.nonce == tried + found.tried - 1
        assert compute_guess(hash_name, found.nonce, digest) < target
        assert all(compute_guess(hash_name, nonce, digest) >= target for nonce in range(found.nonce))

    @pytest.mark.many_runs
    @pytest.mark.parametrize("is_random", [False, True])
    def test_tries_are_geometric_however_nonces_are_chosen(self, is_random: bool) -> None:
        tries = collect_tries(500, 11, is_random=is_random)
        assert fits(tries, lambda value: follow_geometric(value, 1 / WANTED_TRIES))
        assert not fits(tries, lambda value: follow_geometric(value, 1.3 / WANTED_TRIES))  # the test would notice


def compute_digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


class TestMiner:
    @pytest.fixture
    def node(self) -> Node:
        return Node(Rules(make_work()), keys(0))

    def handle(self, node: Node, event: Event, slot: int = 3) -> list[Command]:
        return node.handle(event, slot * SLOT_NS)

    def find_searches(self, commands: list[Command]) -> list[SearchNonce]:
        tasks = [command.task for command in commands if isinstance(command, StartWork)]
        assert all(isinstance(task, SearchNonce) for task in tasks)
        return [task for task in tasks if isinstance(task, SearchNonce)]

    def test_it_goes_on_behind_what_it_has_tried_while_the_header_is_the_same(self, node: Node) -> None:
        (task,) = self.find_searches(self.handle(node, Started()))
        (again,) = self.find_searches(self.handle(node, WorkFinished(task, Searched(None, 50))))
        assert (again.digest, again.start) == (task.digest, 50)
        (later,) = self.find_searches(self.handle(node, WorkFinished(again, Searched(None, 50)), slot=4))
        assert later.digest != task.digest
        assert later.start == 0

    def test_a_nonce_becomes_a_block_and_the_next_search(self, node: Node) -> None:
        (task,) = self.find_searches(self.handle(node, Started()))
        commands = self.handle(node, WorkFinished(task, search("sha256", task, 10**6)))
        assert [type(command) for command in commands] == [Broadcast, BlockAppended, StartWork]
        assert node.tree.head.height == 1

    def test_what_was_found_for_an_older_head_is_dropped(self, node: Node) -> None:
        (task,) = self.find_searches(self.handle(node, Started()))
        block = mine(node.rules, node.rules.origin, 3, pair=keys(1))
        (next_task,) = self.find_searches(
            self.handle(node, MessageReceived("peer", encode_frame(node.rules.chain_id, block)))
        )
        assert self.handle(node, WorkFinished(task, search("sha256", task, 10**6))) == []
        assert self.find_searches(self.handle(node, WorkFinished(next_task, Searched(None, 9))))

    def test_several_blocks_at_once_start_one_search(self, node: Node) -> None:
        self.handle(node, Started())
        rules, other = node.rules, keys(1)
        blocks, record = [], rules.origin
        for slot in (1, 2, 3):
            block = mine(rules, record, slot, pair=other)
            record = rules.build_record(record, block)
            blocks.append(block)
        late = encode_frame(rules.chain_id, blocks[2])
        self.handle(node, MessageReceived("peer", late))  # makes it ask for those below
        answer = other.sign(rules.chain_id, BlockResponse(blocks=tuple(blocks[:2]), author=other.public))
        commands = self.handle(node, MessageReceived("peer", encode_frame(rules.chain_id, answer)))
        assert node.tree.head.height == 3
        assert len(self.find_searches(commands)) == 1

    def test_a_whole_chain_asks_for_no_more_work(self) -> None:
        node = Node(Rules(make_work(length=1)), keys(0))
        (task,) = self.find_searches(self.handle(node, Started()))
        commands = self.handle(node, WorkFinished(task, search("sha256", task, 10**6)))
        assert self.find_searches(commands) == []
