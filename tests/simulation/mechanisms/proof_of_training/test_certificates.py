"""The certificate in a run's folder: what it proves on its own, and what edits of it come to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulation.commands.checks.verify import verify_run
from simulation.commands.cli import main
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
}


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
    assert said.splitlines()[-1].startswith("FAILED: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"certificate": 1, "mechanism": 3}', "[" * 100_000])
def test_what_is_no_certificate_is_bad_input(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    code, said = check(path, capsys)
    assert code == 2
    assert "no certificate" in said
    assert len(said.splitlines()) == 1


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
