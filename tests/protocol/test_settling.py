"""Settling on the last block: what comes late needs witnesses, and what is in time for one is in time for all."""

from functools import cache

import msgspec
import pytest

from protocol.codec import encode_frame
from protocol.events import ChainRecord, RightUsedTwice
from protocol.mechanisms.proof_of_training.building import build_block
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.repairs import SETTLED_AFTER_SLOTS, VERSION_2
from protocol.messages import AnyBlock, BlockResponse, LateBlock, Sighting
from protocol.rules import Rules
from protocol.settling import WITNESSES, Settling, compute_sighting_digest, draw_witnesses
from protocol.verdicts import ChainReason, Ignore, Reject
from tests.support.core import SLOT_NS, Cluster, genesis, keys

NODES, STAGES = 6, 2
STEP = SETTLED_AFTER_SLOTS // WITNESSES
SLOT_S = SLOT_NS / 1e9


@cache
def find_seed() -> int:
    """Return the seed of a job that ends without a fork."""
    return next(seed for seed in range(100) if is_straight(start(seed)))


def start(seed: int) -> Cluster:
    cluster = Cluster(msgspec.structs.replace(genesis(NODES, stages=STAGES, repairs=VERSION_2), seed=seed))
    cluster.run(until_height=STAGES)
    return cluster


def is_straight(cluster: Cluster) -> bool:
    return all(len(party.tree) == STAGES + 1 for party in cluster.parties.values())


class Attack:
    """A chain, a whole job by itself, whose last wrapper has gone silent and makes a second version."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        self.cluster = cluster or start(find_seed())
        self.head: ChainRecord = self.cluster.parties["0"].tree.head
        self.rules: Rules = self.cluster.parties["0"].rules
        block = self.head.block
        assert isinstance(block, WrappedBlock)
        self.index = next(index for index in range(NODES) if keys(index).public == block.author)
        self.second = self._propose_again(block)
        self.honest = sorted(set(self.cluster.parties) - {str(self.index)})
        self.cluster.down.add(str(self.index))

    def _propose_again(self, block: WrappedBlock) -> AnyBlock:
        """Return a block of the same right with one declaration less, with the keys of all who have to sign it."""
        rules, by_owner = self.rules, {keys(index).public: keys(index) for index in range(NODES)}
        parent = self.cluster.parties["0"].tree.require(self.head.parent)
        fewer = msgspec.structs.replace(block.header, declarations=block.header.declarations[1:])
        header = by_owner[fewer.author].sign(rules.chain_id, fewer)
        named = rules.hash_message(header)
        signatures = [
            by_owner[item.author].sign(rules.chain_id, msgspec.structs.replace(item, header=named))
            for item in block.signatures
        ]
        second = build_block(
            as_training(rules.mechanism),
            header,
            (*(item.author for item in signatures), block.author),
            signatures,
            (),
            stakes=parent.state.stakes,
            secret=block.training_secret,  # type: ignore[attr-defined]
        )
        return keys(self.index).sign(rules.chain_id, second)

    def sight(self, *witnesses: int) -> LateBlock[AnyBlock]:
        """Return the second version with words of some nodes as witnesses."""
        digest = compute_sighting_digest(self.rules.chain_id, self.rules.hash_message(self.second))
        seen = [Sighting(witness=keys(one).public, signature=keys(one).sign_hash(digest)) for one in witnesses]
        ordered = tuple(sorted(seen, key=lambda item: item.witness))
        late = LateBlock(block=self.second, sightings=ordered, author=keys(self.index).public)
        return keys(self.index).sign(self.rules.chain_id, late)

    def show(self, names: list[str], message: AnyBlock | LateBlock[AnyBlock]) -> None:
        for name in names:
            self.cluster.send(name, str(self.index), encode_frame(self.rules.chain_id, message))

    def wait(self, slots: float) -> None:
        self.cluster.run(seconds=slots * SLOT_S)

    def assert_agreed(self) -> None:
        """Wait until all is over, and look that all honest nodes have one whole chain."""
        self.wait(SETTLED_AFTER_SLOTS + 400)
        heads = [self.cluster.parties[name].tree.head for name in self.honest]
        assert {head.height for head in heads} == {STAGES}
        assert len({head.hash for head in heads}) == 1

    @property
    def has_moved(self) -> bool:
        return any(self.cluster.parties[name].tree.head.hash != self.head.hash for name in self.honest)


def test_a_second_version_that_one_node_alone_is_shown_soon_is_known_to_all() -> None:
    attack = Attack()
    attack.wait(2)
    attack.show(attack.honest[:1], attack.second)
    attack.assert_agreed()
    assert attack.has_moved
    named = {who for _, who, command in attack.cluster.log if isinstance(command, RightUsedTwice)}
    assert named >= set(attack.honest)


def test_a_second_version_that_half_are_shown_in_the_last_slot_moves_nobody() -> None:
    attack = Attack()
    attack.wait(SETTLED_AFTER_SLOTS - 3)
    attack.show(attack.honest[::2], attack.second)
    attack.wait(6)
    attack.show(attack.honest[1::2], attack.second)
    attack.assert_agreed()
    assert not attack.has_moved


@pytest.mark.many_runs
@pytest.mark.parametrize("at", [0.3, 0.55, 0.95, 1.05, 1.5, 1.95])
@pytest.mark.parametrize("has_sighting", [False, True])
def test_whenever_it_is_shown_and_to_whom_all_agree_in_the_end(at: float, has_sighting: bool) -> None:
    """Around each limit, with the coalition's own word as a witness and without: some may refuse it, then all do."""
    attack = Attack()
    attack.wait(at * STEP)
    attack.show(attack.honest[1:3], attack.sight(attack.index) if has_sighting else attack.second)
    attack.assert_agreed()


def make_settling(index: int) -> Settling:
    rules = Attack().rules
    return Settling(rules, keys(index), settled_after=SETTLED_AFTER_SLOTS)


def test_the_later_the_more_witnesses_and_half_a_step_earlier_for_who_is_none() -> None:
    settling = make_settling(0)
    slots = (0, STEP // 2 - 1, STEP // 2, STEP - 1, STEP, 5 * STEP, SETTLED_AFTER_SLOTS)
    assert [settling.count_needed(slot, by_witness=True) for slot in slots] == [0, 0, 0, 0, 1, 5, WITNESSES]
    assert [settling.count_needed(slot, by_witness=False) for slot in slots] == [0, 0, 1, 1, 1, 5, WITNESSES]


def test_witnesses_are_drawn_by_the_chain_id_alone_and_all_where_there_are_few() -> None:
    start = genesis(30, repairs=VERSION_2)
    rules = Rules(Cluster(start).mechanism)
    drawn = draw_witnesses(rules.chain_id, rules.origin.state.stakes)
    assert len(set(drawn)) == WITNESSES
    assert draw_witnesses(bytes(32), rules.origin.state.stakes) != drawn
    few = Attack().rules
    assert set(draw_witnesses(few.chain_id, few.origin.state.stakes)) == {keys(index).public for index in range(NODES)}


def test_words_of_strangers_wrong_words_and_none_are_refused() -> None:
    attack = Attack()
    tree, settling = attack.cluster.parties["0"].tree, make_settling(0)
    slot = tree.whole_since + 1
    stranger = attack.sight(NODES + 3)
    none = msgspec.structs.replace(stranger, sightings=())
    true = attack.sight(attack.index)
    wrong = msgspec.structs.replace(true, sightings=(msgspec.structs.replace(true.sightings[0], signature=bytes(64)),))
    twice = msgspec.structs.replace(true, sightings=true.sightings * 2)
    for late in (stranger, none, wrong, twice):
        assert settling.judge(tree, late, slot) == Reject(ChainReason.BAD_SIGHTING)
    forged = attack.cluster.node(0).keys.sign(
        attack.rules.chain_id,
        msgspec.structs.replace(true, block=msgspec.structs.replace(true.block, signature=bytes(64))),
    )
    assert settling.judge(tree, forged, slot) == Reject(ChainReason.BAD_SIGNATURE)
    assert settling.judge(tree, true, slot + 2 * STEP) == Ignore(ChainReason.TOO_LATE)
    assert settling.judge(tree, true, slot + SETTLED_AFTER_SLOTS + 1) == Ignore(ChainReason.TOO_LATE)


# ---- rivals in the middle of a job ----


def test_a_second_version_that_half_of_the_nodes_are_shown_stops_nobody() -> None:
    majority = Confidence(rule="stake_share", value=500_000)
    agreed = genesis(NODES, stages=4, confidence=majority, declarations_per_slot=10**9, repairs=VERSION_2)
    cluster = Cluster(agreed)
    cluster.run(until_height=2)
    attack = Attack(cluster)
    for name in attack.honest[::2]:
        answer = BlockResponse(blocks=(attack.second,), author=keys(attack.index).public)
        party = cluster.parties[name]
        party._catch_up._owing.add(str(attack.index))  # it has asked, whatever made it
        frame = encode_frame(attack.rules.chain_id, keys(attack.index).sign(attack.rules.chain_id, answer))
        cluster.send(name, str(attack.index), frame)
    attack.wait(400)
    assert {cluster.parties[name].tree.head.height for name in attack.honest} == {4}
