"""`verify` on a run with made-up training, whose chain somebody may have forged with the keys of all nodes."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.crypto import KeyPair
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, compute_chain_id
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining, as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import Payout, Transaction
from protocol.rules import Rules
from simulation.commands.checks.verify import RunFolderError, verify_run
from simulation.commands.cli import main
from simulation.runs.chain_file import read_chain, write_chain
from simulation.scenario.world.key_pairs import make_keys
from tests.support.core import STRANGER, keys
from tests.support.stored_runs import (
    edit_text,
    make_small,
    put,
    read_summary,
    rebuild_world,
    renew_digests,
    run_made_up,
    write_summary,
)

pytestmark = pytest.mark.xdist_group("verify")

LENGTH = 3


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = make_small(job={"stages": LENGTH}, protocol={"stakeholders": 3}, output={"pictures": False})
    return run_made_up(tmp_path_factory.mktemp("sound"), raw)


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "run"))


def read(folder: Path) -> tuple[TrainingGenesis, tuple[WrappedBlock, ...]]:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    return as_training(mechanism).genesis, tuple(block for block in blocks if isinstance(block, WrappedBlock))


def store(folder: Path, start: TrainingGenesis, blocks: Sequence[WrappedBlock]) -> None:
    """Write a chain and let the summary vouch for it, as a forger would."""
    rules = Rules(ProofOfTraining(start))
    write_chain(folder / "chain.jsonl", rules.mechanism, [rules.encode(block) for block in blocks])
    renew_digests(folder)


def check(folder: Path, *, retrain: bool = False) -> tuple[list[str], list[str]]:
    said: list[str] = []
    return verify_run(folder, is_retraining=retrain, say=said.append), said


def sign_again(folder: Path, start: TrainingGenesis, block: WrappedBlock) -> WrappedBlock:
    pairs: list[KeyPair] = [make_keys(node.key_seed) for node in rebuild_world(folder).nodes]
    owner = next(pair for pair in pairs if pair.public == block.author)
    return owner.sign(compute_chain_id(start), block)


def test_a_sound_run_is_verified(folder: Path) -> None:
    faults, said = check(folder)
    assert faults == []
    assert [line.split(":")[0] for line in said] == ["files", "chain", "logs", "summary.json", "model"]
    assert "3 blocks" in said[1]


OTHERS: dict[str, dict[str, Any]] = {
    "counted": {"output": {"records": "essential", "pictures": False}},
    "outages": {
        "network": {
            "outages": [
                {"node": "honest-0", "down_s": 0.5, "up_s": 3.0, "disk": "lost"},
                {"node": "honest-1", "down_s": 1.0, "up_s": 4.0, "disk": "kept"},
                {"node": "honest-2", "down_s": 0.0, "up_s": 2.0, "disk": "kept"},
            ]
        }
    },
    "cut in two": {
        "network": {"partitions": [{"groups": [["honest-0", "honest-1"], ["honest-2"]], "start_s": 0.0, "heal_s": 5.0}]}
    },
    "lossy": {"network": {"topology": "ring", "loss": 0.1, "duplication": 0.2, "reordering": 0.2}},
    "unfinished": {"run": {"time_limit_s": 2.0}},
}


@pytest.mark.many_runs
@pytest.mark.parametrize("name", OTHERS)
def test_runs_of_other_kinds_are_verified(name: str, tmp_path: Path) -> None:
    folder = run_made_up(tmp_path, make_small(**{"output": {"pictures": False}, **OTHERS[name]}))
    assert check(folder, retrain=True)[0] == []


def test_made_up_training_is_made_up_again(folder: Path) -> None:
    faults, said = check(folder, retrain=True)
    assert faults == []
    assert len([line for line in said if "made up again" in line]) == LENGTH


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("employer.height", 4, "employer.height is 4, chain.jsonl says 3"),
        ("employer.head", "0x0123456789ab", 'employer.head is "0x0123456789ab", chain.jsonl says "0x'),
        ("training.weights_digest", "00", 'training.weights_digest is "00", chain.jsonl says'),
        ("ledger.transactions", 99, "ledger.transactions is 99, chain.jsonl says "),
        ("dataset.digest", "00", 'dataset.digest is "00", chain.jsonl says'),
        ("chain.forks", 77, "chain.forks is 77, pot_sim.log says "),
    ],
)
def test_a_figure_that_another_file_contradicts_is_one_line_of_the_command(
    name: str, value: object, wanted: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = read_summary(folder)
    put(summary, tuple(name.split(".")), value)
    write_summary(folder, summary)
    assert main(["verify", str(folder)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"FAILED: summary.json: {wanted}")
    assert told.count("\n") == 1


def test_a_chain_without_blocks_has_nothing_more_to_check(tmp_path: Path) -> None:
    folder = run_made_up(tmp_path, make_small(run={"time_limit_s": 0.05}, output={"pictures": False}))
    assert read_summary(folder)["employer"]["height"] == 0
    assert check(folder)[0] == []


@pytest.mark.parametrize("name", ["chain.jsonl", "scenario.yaml", "pot_sim.log", "events.jsonl"])
def test_a_file_that_was_changed_or_is_missing_is_named(name: str, folder: Path) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert any(fault.startswith(f"{name}: changed") for fault in check(folder)[0])
    if name != "scenario.yaml":
        path.unlink()
        assert f"{name}: missing" in check(folder)[0]


def _replace_header(block: WrappedBlock, **changes: Any) -> WrappedBlock:
    return msgspec.structs.replace(block, header=msgspec.structs.replace(block.header, **changes))


def _replace_coinbase(block: WrappedBlock) -> WrappedBlock:
    coinbase = tuple(Payout(account=line.account, amount=line.amount + 1) for line in block.coinbase)
    return msgspec.structs.replace(block, coinbase=coinbase)


def _add_transfer(block: WrappedBlock) -> WrappedBlock:
    payer = keys(1).public
    transfer = Transaction(author=payer, nonce=0, recipient=payer, amount=0, fee=0)
    return msgspec.structs.replace(block, transactions=(*block.transactions, transfer))


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
    "coinbase": (_replace_coinbase, "wrong-coinbase"),
    "body": (_add_transfer, "wrong-body"),
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("height", [1, 3])
def test_a_forged_block_is_refused_although_all_digests_were_renewed(name: str, height: int, folder: Path) -> None:
    start, blocks = read(folder)
    forge, reason = FORGERIES[name]
    forged = sign_again(folder, start, forge(blocks[height - 1]))
    store(folder, start, (*blocks[: height - 1], forged, *blocks[height:]))
    faults, said = check(folder)
    assert len(faults) == 1
    assert f"height {height} is refused" in faults[0]
    assert reason in faults[0]
    assert [line.split(":")[0] for line in said] == ["files"]


def test_a_wrong_signature_of_the_block_itself_is_refused(folder: Path) -> None:
    start, blocks = read(folder)
    store(folder, start, (msgspec.structs.replace(blocks[0], signature=bytes(64)), *blocks[1:]))
    assert "height 1 is refused: bad-signature" in check(folder)[0][0]


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (1, 0, 2), (0, 0, 1, 2)])
def test_blocks_that_do_not_build_on_one_another_are_refused(order: tuple[int, ...], folder: Path) -> None:
    start, blocks = read(folder)
    store(folder, start, tuple(blocks[index] for index in order))
    assert "does not build on the one before it" in check(folder)[0][0]


def test_a_chain_of_another_genesis_is_refused(folder: Path) -> None:
    start, blocks = read(folder)
    store(folder, msgspec.structs.replace(start, seed=8), blocks)
    assert check(folder)[0] == ["chain.jsonl: the genesis: seed is 8, scenario.yaml gives 7"]


def test_a_chain_that_was_cut_is_not_what_log_and_summary_say(folder: Path) -> None:
    start, blocks = read(folder)
    store(folder, start, blocks[:2])
    faults = check(folder)[0]
    assert any("employer.height is 3, chain.jsonl says 2" in fault for fault in faults)
    assert any(fault.startswith("summary.json: training.weights_digest is ") for fault in faults)


def test_a_chain_of_two_honest_runs_is_not_mixed_up(folder: Path, tmp_path: Path) -> None:
    raw = make_small(seed=8, job={"stages": LENGTH}, output={"pictures": False})
    other = run_made_up(tmp_path, raw)
    shutil.copy(other / "chain.jsonl", folder)
    renew_digests(folder)
    assert any(fault.startswith("chain.jsonl: the genesis: ") for fault in check(folder)[0])


@pytest.mark.parametrize("name", ["summary.json", "scenario.yaml", "chain.jsonl", "pot_sim.log", "events.jsonl"])
def test_a_pipe_in_the_place_of_a_file_is_not_read(name: str, folder: Path) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(RunFolderError, match=f"{name} is no file"):
        check(folder)


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


def test_no_word_of_a_damaged_file_steers_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_text(folder, "pot_sim.log", lambda text: text.replace("honest-0 started", "honest\x1b[31m started", 1))
    summary = read_summary(folder)
    summary["files"]["\x1b[31m"] = ""
    write_summary(folder, summary)
    assert main(["verify", str(folder)]) == 1
    told = capsys.readouterr()
    assert "\\u001b[31m" in told.err
    assert "\x1b" not in told.out + told.err


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--dataset", "mnist.npz"], 2, "--dataset: only --retrain looks at the data set"),
        (["--retrain", "--dataset", "mnist.npz"], 0, ""),
    ],
)
def test_a_data_set_is_named_for_training_again_alone(
    options: list[str], code: int, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder), *options]) == code
    assert capsys.readouterr().err.startswith(told)
