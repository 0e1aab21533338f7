"""Every mechanism keeps the contract: those of the package, and one that is registered from here."""

from typing import ClassVar

import pytest

from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanism import Mechanism
from protocol.mechanisms import MechanismError, find_mechanism, list_mechanisms, register
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_chain import StakeChain
from tests.protocol.mechanisms.contract import NODES, MechanismContract
from tests.protocol.mechanisms.proof_of_activity.chains import make_activity
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.protocol.mechanisms.stake_bft.chains import make_bft
from tests.protocol.mechanisms.stake_chain.chains import make_stake
from tests.round_robin.mechanism import RoundRobin, RoundRobinGenesis
from tests.support.core import SLOT_NS, genesis, keys

register(RoundRobin)


def make_round_robin(nodes: int = NODES, length: int = 4) -> RoundRobin:
    accounts = [
        GenesisAccount(account=keys(index).public, balance=50_000_000, stake=1_000_000) for index in range(nodes)
    ]
    accounts.sort(key=lambda line: line.account)
    chain = ChainRules(slot_ns=SLOT_NS, max_transactions=100, length=length)
    return RoundRobin(RoundRobinGenesis(chain=chain, accounts=tuple(accounts), seed=7))


class TestProofOfTraining(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = ProofOfTraining

    @staticmethod
    def make() -> Mechanism:
        return ProofOfTraining(genesis(NODES))


class TestProofOfTrainingTwo(MechanismContract):
    """Version 2 of its rules."""

    mechanism: ClassVar[type[Mechanism]] = ProofOfTraining
    chosen: ClassVar[frozenset[str]] = frozenset({"training_secret"})  # a light client has not trained

    @staticmethod
    def make() -> Mechanism:
        return ProofOfTraining(genesis(NODES, repairs=VERSION_2))


class TestProofOfWork(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = ProofOfWork

    @staticmethod
    def make() -> Mechanism:
        return make_work(NODES)


class TestStandIn(MechanismContract):
    """Proof of work whose nonces show no work, as in simulated time."""

    mechanism: ClassVar[type[Mechanism]] = ProofOfWork

    @staticmethod
    def make() -> Mechanism:
        return make_work(NODES, proof="stand_in")


class TestStakeChain(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = StakeChain
    chosen: ClassVar[frozenset[str]] = frozenset({"reveal"})  # an author's first one may be anything

    @staticmethod
    def make() -> Mechanism:
        return make_stake(NODES)


class TestNaiveStakeChain(MechanismContract):
    """The same, drawn by the block below."""

    mechanism: ClassVar[type[Mechanism]] = StakeChain

    @staticmethod
    def make() -> Mechanism:
        return make_stake(NODES, drawn_by="parent_hash")


class TestStakeBft(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = StakeBft

    @staticmethod
    def make() -> Mechanism:
        return make_bft(NODES)


class TestProofOfActivity(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = ProofOfActivity
    chosen: ClassVar[frozenset[str]] = frozenset({"transactions"})  # the closer's

    @staticmethod
    def make() -> Mechanism:
        return make_activity(NODES)


class TestSomeOfThoseDrawn(MechanismContract):
    """Proof of activity where some of those drawn may be missing, and stand-ins for work."""

    mechanism: ClassVar[type[Mechanism]] = ProofOfActivity
    chosen: ClassVar[frozenset[str]] = frozenset({"transactions"})

    @staticmethod
    def make() -> Mechanism:
        return make_activity(NODES, proof="stand_in", drawn=5, needed=3)


class TestRoundRobin(MechanismContract):
    mechanism: ClassVar[type[Mechanism]] = RoundRobin
    chosen: ClassVar[frozenset[str]] = frozenset({"slot"})

    @staticmethod
    def make() -> Mechanism:
        return make_round_robin()


def test_no_two_mechanisms_name_the_same_chain() -> None:
    made = (
        TestProofOfTraining,
        TestProofOfWork,
        TestStandIn,
        TestStakeChain,
        TestNaiveStakeChain,
        TestStakeBft,
        TestProofOfActivity,
        TestSomeOfThoseDrawn,
        TestRoundRobin,
    )
    assert len({item.make().encode_genesis() for item in made}) == len(made)


def test_a_name_is_given_once_and_an_unknown_one_is_told() -> None:
    class Impostor(RoundRobin):
        name: ClassVar = "proof_of_training"

    with pytest.raises(ValueError, match="there is a mechanism called 'proof_of_training' already"):
        register(Impostor)
    register(RoundRobin)
    assert list_mechanisms() == (
        "proof_of_training",
        "proof_of_work",
        "stake_chain",
        "stake_bft",
        "proof_of_activity",
        "round_robin",
    )
    with pytest.raises(MechanismError, match="no mechanism is called 'proof_of_patience'; there are proof_of_training"):
        find_mechanism("proof_of_patience")
