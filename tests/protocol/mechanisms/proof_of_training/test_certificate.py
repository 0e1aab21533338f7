"""A delivery certificate proves what the rule of confidence does, without transfers and without data."""

import msgspec
import pytest

from protocol.mechanisms.proof_of_training.certificate import CertificateError, check_certificate, strip
from protocol.mechanisms.proof_of_training.job import Confidence, TrainingGenesis, encode_genesis
from protocol.mechanisms.proof_of_training.messages import TrainedBlock, WrappedBlock
from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from tests.support.core import Cluster, Scene, genesis, keys

STAGES = 3


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster(
        genesis(5, repairs=VERSION_2, stages=STAGES, confidence=Confidence(rule="stake_share", value=500_000))
    )
    made.run(until_height=STAGES)
    return made


@pytest.fixture
def agreed(cluster: Cluster) -> bytes:
    return cluster.mechanism.encode_genesis()


@pytest.fixture
def chain(cluster: Cluster) -> list[TrainedBlock]:
    return [
        strip(block) for record in cluster.node(0).tree.get_chain() if isinstance(block := record.block, WrappedBlock)
    ]


def pack(chain: list[TrainedBlock]) -> list[bytes]:
    return [msgspec.msgpack.encode(block) for block in chain]


def test_an_honest_chain_is_proved_by_its_certificate(
    cluster: Cluster, agreed: bytes, chain: list[TrainedBlock]
) -> None:
    found = check_certificate(agreed, pack(chain))
    assert found.chain_id == cluster.node(0).rules.chain_id
    assert (found.stages, found.weights_digest) == (STAGES, chain[-1].header.weights_digest)
    assert 500_000 < found.least_declared <= 1_000_000


def test_a_block_is_the_same_with_and_without_its_transfers(cluster: Cluster, chain: list[TrainedBlock]) -> None:
    rules = cluster.node(0).rules
    assert [rules.hash_message(block) for block in chain] == [
        record.hash for record in cluster.node(0).tree.get_chain()[1:]
    ]
    assert all(block.transactions == () for block in chain)


def test_whatever_is_changed_is_found(cluster: Cluster, agreed: bytes, chain: list[TrainedBlock]) -> None:
    rules, header = cluster.node(0).rules, chain[1].header
    other = next(keys(index) for index in range(6) if keys(index).public != chain[1].author)
    headers = (
        msgspec.structs.replace(header, weights_digest=bytes(32)),
        msgspec.structs.replace(header, declarations=header.declarations[:1]),
        msgspec.structs.replace(header, slot=header.slot + 1),
        msgspec.structs.replace(header, body=bytes(32)),
    )
    declared = {item.author for item in header.declarations}
    forger = next(item for item in chain[1].signatures if item.author in declared)
    lazy = next(keys(index) for index in range(6) if keys(index).public == forger.author)
    copied = lazy.sign(rules.chain_id, msgspec.structs.replace(forger, training_secret=bytes(32)))
    changes = (
        *(msgspec.structs.replace(chain[1], header=changed) for changed in headers),
        msgspec.structs.replace(chain[1], signatures=chain[1].signatures[:1]),
        msgspec.structs.replace(
            chain[1], signatures=tuple(copied if item is forger else item for item in chain[1].signatures)
        ),
        msgspec.structs.replace(chain[1], training_secret=bytes(32)),
        other.sign(rules.chain_id, msgspec.structs.replace(chain[1], author=other.public)),
    )
    for block in changes:
        with pytest.raises(CertificateError, match=r"at height [23]"):
            check_certificate(agreed, pack([chain[0], block, chain[2]]))
    with pytest.raises(CertificateError, match="2 blocks, and the job 3 stages"):
        check_certificate(agreed, pack(chain[:2]))
    with pytest.raises(CertificateError, match="does not follow"):
        check_certificate(agreed, pack([chain[0], chain[2], chain[1]]))
    with pytest.raises(CertificateError, match="cannot be read"):
        check_certificate(agreed, [*pack(chain[:2]), b"\x00"])
    with pytest.raises(CertificateError, match="genesis cannot be read"):
        check_certificate(b"\x00", pack(chain))


def test_a_certificate_of_another_chain_or_of_version_1_proves_nothing(chain: list[TrainedBlock]) -> None:
    another = Cluster(genesis(6, repairs=VERSION_2, stages=STAGES)).mechanism.encode_genesis()
    with pytest.raises(CertificateError, match="does not follow"):
        check_certificate(another, pack(chain))
    senseless = Scene(genesis(5, repairs=VERSION_2)).genesis
    for changed in (msgspec.structs.replace(senseless, accounts=()), replace_slot(senseless)):
        with pytest.raises(CertificateError, match="describes no chain"):
            check_certificate(encode_genesis(changed), pack(chain))
    first = Scene(genesis(5))
    with pytest.raises(CertificateError, match="version 1"):
        check_certificate(first.pot.encode_genesis(), pack(chain))
    with pytest.raises(ValueError, match="version 1"):
        strip(first.block())


def replace_slot(start: TrainingGenesis) -> TrainingGenesis:
    return msgspec.structs.replace(start, parameters=msgspec.structs.replace(start.parameters, slot_ns=0))
