"""Whole rounds of the core in virtual time, without TensorFlow."""

from protocol.mechanisms.proof_of_training.job import Confidence
from tests.support.core import Cluster, genesis

MAJORITY = Confidence(rule="stake_share", value=500_000)


def test_honest_nodes_and_employer_agree_on_the_whole_job() -> None:
    cluster = Cluster(genesis(8), employer=True)
    cluster.run(until_height=3)
    heads = {party.tree.head.hash for party in cluster.parties.values()}
    assert len(heads) == 1
    assert cluster.node(0).tree.head.height == 3
    for record in cluster.node(0).tree.get_records():
        record.state.check_supply()


def test_a_poisoning_minority_gets_no_block_anywhere() -> None:
    cluster = Cluster(genesis(8, confidence=MAJORITY), data={6: "poison", 7: "poison"}, employer=True)
    cluster.run(until_height=3)
    assert cluster.parties["employer"].tree.head.hash == cluster.node(0).tree.head.hash
    assert cluster.node(6).tree.head.height == cluster.node(7).tree.head.height == 0


def test_a_poisoning_majority_deceives_the_employer_but_no_honest_node() -> None:
    poisoners = dict.fromkeys(range(4), "poison")
    cluster = Cluster(genesis(7, confidence=MAJORITY), data=poisoners, employer=True)
    cluster.run(seconds=300)
    employer = cluster.parties["employer"].tree.head
    assert employer.height == 3
    assert employer.hash == cluster.node(0).tree.head.hash
    assert [cluster.node(index).tree.head.height for index in (4, 5, 6)] == [0, 0, 0]
