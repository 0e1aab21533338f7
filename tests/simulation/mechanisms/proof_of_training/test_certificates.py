"""The certificate in a run's folder: what it proves on its own, and what edits of it come to."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from simulation.commands.checks.verify import verify_run
from simulation.commands.cli import main
from simulation.mechanisms.proof_of_training.certificates import TrainingCertificates
from simulation.runs.certificates import MOST_BYTES
from tests.support.core import Cluster, genesis
from tests.support.stored_runs import make_small, renew_digests, run_made_up

pytestmark = pytest.mark.many_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_made_up(tmp_path_factory.mktemp("certified"), make_small())


def read(run: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run / "certificate.json").read_text("utf-8"))
    return told


def check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["verify", str(path)])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_a_certificate_is_checked_without_the_run_it_is_of(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "proof.json"
    alone.write_bytes((run / "certificate.json").read_bytes())
    code, said = check(alone, capsys)
    assert code == 0
    assert said.splitlines()[-1] == "verified"
    assert f"chain: {read(run)['chain_id']}; compare it" in said
    assert f"weights: {read(run)['blocks'][-1]['weights_digest']} after the last stage" in said


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "chain_id": lambda told: told.update(chain_id="00" * 32),
    "genesis": lambda told: told.update(genesis="00"),
    "no genesis": lambda told: told.pop("genesis"),
    "a block less": lambda told: told["blocks"].pop(),
    "two blocks swapped": lambda told: told["blocks"].reverse(),
    "what is to be read": lambda told: told["blocks"][0].update(declarations=99),
    "bytes": lambda told: told["blocks"][1].update(bytes=told["blocks"][1]["bytes"][:-2] + "00"),
    "another format": lambda told: told.update(certificate=2),
    "no list": lambda told: told.update(blocks=3),
    "no block": lambda told: told["blocks"].insert(0, None),
    "bytes that are no text": lambda told: told["blocks"][0].update(bytes=7),
    "bytes with spaces": lambda told: told["blocks"][0].update(bytes=" " + told["blocks"][0]["bytes"]),
    "capitals": lambda told: told.update(genesis=told["genesis"].upper()),
    "true for the format": lambda told: told.update(certificate=True),
    "a fraction for the format": lambda told: told.update(certificate=1.0),
    "a long text for the format": lambda told: told.update(certificate="1" * 5000),
    "a fraction for a count": lambda told: told["blocks"][0].update(
        declarations=told["blocks"][0]["declarations"] + 0.0
    ),
    "a fraction for a height": lambda told: told["blocks"][0].update(height=1.0),
    "an unknown key": lambda told: told.update({"wei\x1bghts" * 1000: "ff"}),
    "text that is not UTF-8": lambda told: told.update(genesis=rename_dataset(told["genesis"], b"mni\xff\xff")),
}


def rename_dataset(genesis: str, name: bytes) -> str:
    return bytes.fromhex(genesis).replace(b"\xa5mnist", b"\xa5" + name).hex()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_certificate_proves_nothing(
    edit: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = read(run)
    EDITS[edit](told)
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    code, said = check(path, capsys)
    assert code == 1
    first, fault = said.splitlines()
    assert first == "not verified"
    assert fault.startswith(f"FAILED: {path}: ")
    assert fault.isprintable()
    assert len(fault) < len(f"FAILED: {path}: ") + 200
    assert not any(word in fault for word in ("object", "codec", "Expected", "$"))


def test_no_text_of_a_genesis_steers_the_terminal_or_adds_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = "x\nweights: 00 after the last stage\x1b[2K\u202e" + "y" * 5000
    cluster = Cluster(genesis(5, repairs=VERSION_2, stages=1, dataset=forged))
    cluster.run(until_height=1)
    blocks = [
        cluster.node(0).rules.encode(block) for record in cluster.node(0).tree.get_chain() if (block := record.block)
    ]
    path = tmp_path / "proof.json"
    TrainingCertificates().write(path, cluster.mechanism, blocks)
    code, said = check(path, capsys)
    assert code == 0
    assert [line.partition(":")[0] for line in said.splitlines()] == ["chain", "job", "weights", "declared", "verified"]
    assert all(line.isprintable() and len(line) < 200 for line in said.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"certificate": 1, "mechanism": 3}',
        '{"certificate": 1, "mechanism": "proof_of_training", "certificate": 1}',
        "[" * 100_000,
    ],
)
def test_what_is_no_certificate_is_bad_input(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    code, said = check(path, capsys)
    assert code == 2
    assert "no certificate" in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # takes no room on the disk
    code, said = check(path, capsys)
    assert code == 2
    assert said == f"{path}: no certificate: it has 268,435,457 bytes, and 256 MiB is the most\n"


def test_a_certificate_of_a_mechanism_that_is_not_known_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"certificate": 1, "mechanism": "p\n" * 1000}), "utf-8")
    code, said = check(path, capsys)
    assert code == 2
    assert len(said.splitlines()) == 1
    assert "which is not known here" in said


@pytest.mark.parametrize("name", ["missing", "pipe", "a\x1bb", "missing/certificate.json", "a" * 300, "folder"])
@pytest.mark.parametrize("options", [[], ["--retrain"]])
def test_what_is_neither_a_run_nor_a_certificate_is_told_what_may_stand_there(
    name: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert main(["verify", str(tmp_path / name), *options]) == 2
    said = capsys.readouterr().err
    assert "finished run" in said
    assert "certificate.json" in said.replace(name, "")
    assert said.rstrip("\n").isprintable()


def test_a_run_is_held_to_its_certificate(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for file in run.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert verify_run(copy, is_retraining=False, say=lambda _: None) == []
    told = read(copy)
    told["blocks"][0]["declarations"] += 1
    (copy / "certificate.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    renew_digests(copy)
    assert verify_run(copy, is_retraining=False, say=lambda _: None) == [
        "certificate.json: not the certificate of the chain in chain.jsonl"
    ]


def test_under_version_1_there_is_none(tmp_path: Path) -> None:
    folder = run_made_up(tmp_path, make_small(protocol={"rules": 1}))
    assert not (folder / "certificate.json").exists()
    assert verify_run(folder, is_retraining=False, say=lambda _: None) == []
