"""Epochs in which no block was made: the chain goes on, all agree on who leads, and what can be won by making them."""

from itertools import pairwise

import pytest

from protocol.codec import encode_frame
from protocol.crypto import Domain, compute_hash
from protocol.events import ChainRecord, MessageReceived
from protocol.light_client import LightClient
from protocol.rules import Rules
from tests.protocol.mechanisms.stake_chain.chains import NOW, Chain, make_stake
from tests.support.core import SLOT_NS, Cluster, keys

SLOTS, NODES, LENGTH = 4, 4, 30
OUTAGE_S = 6 * SLOTS
TRIES = 60


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """Nodes that were all down at once for some epochs, and a light client that was not."""
    made = Cluster(make_stake(NODES, length=LENGTH, epoch_slots=SLOTS), employer=True)
    made.run(seconds=3.5 * SLOTS)
    made.down |= {str(index) for index in range(NODES)}
    over = made.now + OUTAGE_S * SLOT_NS
    made.run(seconds=OUTAGE_S)
    made.now = over
    for index in range(NODES):
        made.wake(index)
    made.run(until_height=LENGTH)
    return made


def list_epochs(chain: tuple[ChainRecord, ...]) -> list[int]:
    return sorted({record.slot // SLOTS for record in chain[1:]})


def test_the_chain_goes_on_after_epochs_without_a_block_and_all_agree(cluster: Cluster) -> None:
    chain = cluster.node(0).tree.get_chain()
    epochs = list_epochs(chain)
    empty = set(range(epochs[-1])) - set(epochs)
    assert len(empty) >= OUTAGE_S // SLOTS - 1
    assert epochs[0] < min(empty) < max(empty) < epochs[-1] - 3
    assert {party.tree.head.hash for party in cluster.parties.values()} == {chain[-1].hash}
    assert chain[-1].height == LENGTH


def test_a_light_client_that_comes_later_takes_the_chain(cluster: Cluster) -> None:
    client = LightClient(Rules(cluster.mechanism), keys(1000))
    for record in cluster.node(0).tree.get_chain()[1:]:
        assert record.block is not None
        client.handle(MessageReceived("peer", encode_frame(client.rules.chain_id, record.block)), NOW)
    assert client.tree.head.hash == cluster.node(0).tree.head.hash


def test_the_seed_after_empty_epochs_is_over_the_last_mix_there_is_and_the_epoch(cluster: Cluster) -> None:
    """docs/stake_chain.md, computed here from the blocks."""
    chain = Chain(make_stake(NODES, length=LENGTH, epoch_slots=SLOTS))
    records = cluster.node(0).tree.get_chain()
    seeds = set()
    for below, record in pairwise(records):
        epoch = record.slot // SLOTS
        mixed, bonded = (find_last(records[: record.height], epoch - lag) for lag in (2, 3))
        mix = chain.mechanism.find_books(chain.rules, mixed).closings[-1].mix
        draw = chain.mechanism.find_draw(chain.rules, below, epoch)
        assert draw.seed == compute_hash(Domain(b"pot/stake/seed/1"), mix, epoch.to_bytes(8, "big"))
        assert draw.stakes == bonded.state.stakes
        seeds.add(draw.seed)
    assert len(seeds) == len(list_epochs(records))


def find_last(records: tuple[ChainRecord, ...], epoch: int) -> ChainRecord:
    """Return the last block of the epochs up to one; the genesis where there is none."""
    return next((record for record in records[:0:-1] if record.slot // SLOTS <= epoch), records[0])


def test_leaders_of_empty_epochs_differ_from_epoch_to_epoch_and_are_known_to_all_from_the_last_block_on() -> None:
    chain = Chain(make_stake(NODES, length=100, epoch_slots=16))
    for slot in range(1, 48):
        chain.grow(slot)
    led = [tuple(chain.find_leader(16 * epoch + number) for number in range(16)) for epoch in range(5, 12)]
    assert len(set(led)) == len(led)
    chain.grow(16 * 8)
    again = [tuple(chain.find_leader(16 * epoch + number) for number in range(16)) for epoch in range(8, 12)]
    assert again[:2] == led[3:5]
    assert not set(again[2:]) & set(led)


@pytest.mark.parametrize("is_empty", [True, False])
def test_who_alone_makes_blocks_for_an_epoch_or_keeps_it_empty_knows_by_which_seed_its_bonds_are_drawn(
    *, is_empty: bool
) -> None:
    """What docs/stake_chain.md says is left: as many draws to choose from as it tries amounts, three epochs later."""
    size = 2 * SLOTS
    chain = Chain(make_stake(NODES, length=200, epoch_slots=size))
    for slot in range(1, 3 * size):
        chain.grow(slot)

    def list_own(epoch: int) -> list[int]:
        return [slot for slot in range(epoch * size, (epoch + 1) * size) if chain.find_leader(slot) == keys(0).public]

    below, last, alone = chain.tip, list_own(3)[-1], list_own(4)
    assert alone
    led: dict[int, list[int]] = {}
    for amount in range(1, TRIES):
        chain.tip = below
        chain.grow(last, transactions=(chain.withdraw(0, amount),))
        for slot in () if is_empty else alone:
            chain.grow(slot)
        for epoch in (4, 5, 6):
            led.setdefault(epoch, []).append(len(list_own(epoch)))
    assert [len(set(led[epoch])) for epoch in (4, 5)] == [1, 1]
    assert max(led[6]) >= size // 2 > 1.5 * sum(led[6]) / len(led[6])


def test_one_block_of_somebody_else_in_that_epoch_makes_it_another_seed() -> None:
    chain = Chain(make_stake(NODES, length=200, epoch_slots=SLOTS))
    for slot in range(1, 4 * SLOTS):
        chain.grow(slot)
    below, slots = chain.tip, range(4 * SLOTS, 5 * SLOTS)
    draws = [chain.mechanism.find_draw(chain.rules, below, 6).seed]
    for slot in slots:
        chain.tip = below
        draws.append(chain.mechanism.find_draw(chain.rules, chain.grow(slot), 6).seed)
    assert len(set(draws)) == 1 + len({chain.find_leader(slot, below) for slot in slots})
