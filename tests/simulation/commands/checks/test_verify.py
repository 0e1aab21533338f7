import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from protocol.codec import encode
from protocol.crypto import KeyPair, compute_content_hash
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, compute_chain_id
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import Payout
from simulation.commands.checks.verify import RunFolderError, verify_run
from simulation.commands.cli import main
from simulation.mechanisms.proof_of_training import verification
from simulation.runs.chain_file import write_chain
from simulation.runs.summary import compute_ledger
from simulation.training.samples import Weights
from simulation.training.weight_store import WeightsError
from tests.support.core import STRANGER, Cluster, genesis, keys
from tests.support.scenarios import save, shipped

pytestmark = pytest.mark.xdist_group("verify")

Chain = tuple[TrainingGenesis, tuple[WrappedBlock, ...]]
WEIGHTS: Weights = [np.zeros(1, np.float32)]


@pytest.fixture(scope="module")
def chain() -> Chain:
    cluster = Cluster(genesis(4))
    cluster.run(until_height=3)
    chain = cluster.node(0).tree.get_chain()
    blocks = tuple(record.block for record in chain if isinstance(record.block, WrappedBlock))
    assert len(blocks) == 3
    return cluster.genesis, blocks


@pytest.fixture
def folder(tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run's folder whose model, made without Keras, has the weights that the last block attests."""
    (tmp_path / "model.keras").write_bytes(b"model")
    save(tmp_path, shipped("honest").to_yaml())
    store(tmp_path, *chain)
    monkeypatch.setattr(verification, "load_model_weights", lambda path: WEIGHTS)
    monkeypatch.setattr(verification, "compute_weights_digest", lambda weights: chain[1][-1].header.weights_digest)
    monkeypatch.setattr(verification, "prepare_environment", lambda: None)
    return tmp_path


def store(folder: Path, start: TrainingGenesis, blocks: tuple[WrappedBlock, ...]) -> None:
    """Write a chain and a summary that vouches for every file, as a forger would."""
    write_chain(folder / "chain.jsonl", ProofOfTraining(start), [encode(block) for block in blocks])
    names = ("scenario.yaml", "chain.jsonl", "model.keras")
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    summary: dict[str, Any] = {
        "dataset": {"name": start.job.dataset, "digest": start.job.dataset_digest.hex()},
        "employer": {"height": 0, "head": "genesis", "outcome": "delivered"},
        "training": {"weights_digest": None},
        "ledger": compute_ledger(start, list(blocks)),
        "files": files,
    }
    if blocks:
        head = compute_content_hash(compute_chain_id(start), blocks[-1]).hex()[:12]
        summary["employer"] |= {"height": blocks[-1].height, "head": f"0x{head}"}
        summary["training"] = {"weights_digest": blocks[-1].header.weights_digest.hex()}
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")


def check(folder: Path, *, retrain: bool = False) -> tuple[list[str], list[str]]:
    said: list[str] = []
    return verify_run(folder, is_retraining=retrain, say=said.append), said


def sign_again(start: TrainingGenesis, block: WrappedBlock) -> WrappedBlock:
    owner: KeyPair = next(keys(index) for index in range(4) if keys(index).public == block.author)
    return owner.sign(compute_chain_id(start), block)


def test_a_sound_run_is_verified(folder: Path) -> None:
    faults, said = check(folder)
    assert faults == []
    assert [line.split(":")[0] for line in said] == ["files", "chain", "summary.json", "model"]
    assert "3 blocks" in said[1]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("employer.height", 4, "employer.height is 4, chain.jsonl says 3"),
        ("employer.head", "0x0123456789ab", 'employer.head is "0x0123456789ab", chain.jsonl says "0x'),
        ("employer.head", None, "employer.head is missing, chain.jsonl says"),
        ("training.weights_digest", "00", 'training.weights_digest is "00", chain.jsonl says'),
        ("ledger.transactions", 99, "ledger.transactions is 99, chain.jsonl says 0"),
        ("dataset.digest", "00", 'dataset.digest is "00", chain.jsonl says'),
    ],
)
def test_a_summary_that_says_something_else_than_the_chain_is_no_longer_verified(
    name: str, value: object, wanted: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section, key = name.split(".")
    path = folder / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary[section][key] = value
    if value is None:
        del summary[section][key]
    path.write_text(json.dumps(summary), "utf-8")
    assert main(["verify", str(folder)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"FAILED: summary.json: {wanted}")
    assert told.count("\n") == 1


def test_of_a_crashed_employer_the_chain_is_that_of_most_nodes(folder: Path) -> None:
    path = folder / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary["chain"] = summary["employer"]
    summary["employer"] = {"height": 1, "head": "0x1", "outcome": "crashed"}
    path.write_text(json.dumps(summary), "utf-8")
    assert check(folder)[0] == []
    summary["chain"]["height"] = 7
    path.write_text(json.dumps(summary), "utf-8")
    assert check(folder)[0] == ["summary.json: chain.height is 7, chain.jsonl says 3"]


def test_a_chain_without_blocks_has_no_model_to_check(folder: Path, chain: Chain) -> None:
    store(folder, chain[0], ())
    assert check(folder)[0] == []


@pytest.mark.parametrize("name", ["chain.jsonl", "model.keras", "scenario.yaml"])
def test_a_file_that_was_changed_or_is_missing_is_named(name: str, folder: Path) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert any(name in fault and "changed" in fault for fault in check(folder)[0])
    if name == "model.keras":
        path.unlink()
        assert any(name in fault and "missing" in fault for fault in check(folder)[0])


def test_a_model_that_the_summary_does_not_list_is_still_wanted(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    del summary["files"]["model.keras"]
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")
    (folder / "model.keras").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "load_model_weights", _fail_to_load)
        assert check(folder)[0] != []


def _fail_to_load(path: Path) -> Weights:
    raise WeightsError(f"{path.name}: not a readable Keras model")


def _replace_header(block: WrappedBlock, **changes: Any) -> WrappedBlock:
    return msgspec.structs.replace(block, header=msgspec.structs.replace(block.header, **changes))


FORGERIES: dict[str, tuple[Callable[[WrappedBlock], WrappedBlock], str]] = {
    "weights": (lambda block: _replace_header(block, weights_digest=bytes(32)), "bad-signature"),
    "secret": (lambda block: _replace_header(block, training_secret=bytes(32)), "bad-signature"),
    "proposer": (lambda block: _replace_header(block, author=keys(STRANGER).public), "bad-signature"),
    "declarations": (
        lambda block: _replace_header(block, declarations=block.header.declarations[:-1]),
        "bad-signature",
    ),
    "signatures": (lambda block: msgspec.structs.replace(block, signatures=()), "wrong-signature-count"),
    "order": (lambda block: msgspec.structs.replace(block, signatures=block.signatures[::-1]), "not-a-stakeholder"),
    "coinbase": (
        lambda block: msgspec.structs.replace(
            block, coinbase=tuple(Payout(account=line.account, amount=line.amount + 1) for line in block.coinbase)
        ),
        "wrong-coinbase",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("height", [1, 3])
def test_a_forged_block_is_refused_although_all_digests_were_renewed(
    name: str, height: int, folder: Path, chain: Chain
) -> None:
    start, blocks = chain
    forge, reason = FORGERIES[name]
    forged = sign_again(start, forge(blocks[height - 1]))
    store(folder, start, (*blocks[: height - 1], forged, *blocks[height:]))
    faults, said = check(folder)
    assert len(faults) == 1
    assert f"height {height} is refused" in faults[0]
    assert reason in faults[0]
    assert [line.split(":")[0] for line in said] == ["files"]


def test_a_wrong_signature_of_the_block_itself_is_refused(folder: Path, chain: Chain) -> None:
    start, blocks = chain
    store(folder, start, (msgspec.structs.replace(blocks[0], signature=bytes(64)), *blocks[1:]))
    assert "height 1 is refused: bad-signature" in check(folder)[0][0]


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (1, 0, 2), (0, 0, 1, 2)])
def test_blocks_that_do_not_build_on_one_another_are_refused(
    order: tuple[int, ...], folder: Path, chain: Chain
) -> None:
    start, blocks = chain
    store(folder, start, tuple(blocks[index] for index in order))
    assert "does not build on the one before it" in check(folder)[0][0]


def test_a_chain_of_another_genesis_is_refused(folder: Path, chain: Chain) -> None:
    start, blocks = chain
    for other in (msgspec.structs.replace(start, seed=8), genesis(4, stages=2)):
        store(folder, other, blocks)
        assert "does not build" in check(folder)[0][0]


def test_a_chain_cut_short_no_longer_matches_the_model(folder: Path, chain: Chain) -> None:
    store(folder, chain[0], chain[1][:2])
    assert "model.keras: holds weights" in check(folder)[0][0]


def test_a_chain_cut_short_no_longer_matches_what_the_summary_says(
    folder: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = chain[1][1].header.weights_digest
    monkeypatch.setattr(verification, "compute_weights_digest", lambda weights: digest)
    write_chain(folder / "chain.jsonl", ProofOfTraining(chain[0]), [encode(block) for block in chain[1][:2]])
    assert any("chain.jsonl: changed" in fault for fault in check(folder)[0])


def test_a_model_with_other_weights_or_none_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "compute_weights_digest", lambda weights: bytes(32))
    assert "model.keras: holds weights" in check(folder)[0][0]
    monkeypatch.setattr(verification, "load_model_weights", _fail_to_load)
    assert "not a readable Keras model" in check(folder)[0][0]


def test_training_again_on_another_profile_says_nothing_and_is_not_called_verified(folder: Path) -> None:
    faults, _ = check(folder, retrain=True)
    assert len(faults) == 1
    assert "arithmetic profile" in faults[0]
    assert "not comparable" in faults[0]


@pytest.mark.parametrize("name", ["summary.json", "scenario.yaml"])
@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"files": 3}', "name: x"])
def test_a_folder_that_is_not_that_of_a_run_is_refused(
    name: str, content: str | None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content, "utf-8")
    with pytest.raises(RunFolderError, match="not the folder of a finished run"):
        check(folder)
    assert main(["verify", str(folder)]) == 2
    assert "not the folder of a finished run" in capsys.readouterr().err


def test_the_command_says_what_holds_and_what_does_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "verified"
    (folder / "chain.jsonl").write_bytes(b"")
    assert main(["verify", str(folder)]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "not verified"
    assert all(line.startswith("FAILED: chain.jsonl") for line in told.err.splitlines())
