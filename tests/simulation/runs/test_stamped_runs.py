"""Runs whose transfers must be stamped: users and attackers really find the stamps, and `verify` looks for them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from protocol.rules import Rules
from protocol.types import SIGNATURE_BYTES, STAMP_BYTES
from simulation.commands import cli
from simulation.records.tally import find_blamed
from simulation.runs.chain_file import ChainFileError, read_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw as make_by_work
from tests.support.judgements import observe
from tests.support.memory_runs import make_raw, population
from tests.support.stored_runs import edit_scenario, edit_text, make_small, run_made_up

BITS = 6
USERS = {"count": 3, "transactions": 12, "per_second": 20.0}
LEDGER = {"ledger": {"stamp_bits": BITS}}


def make_by_training() -> dict[str, Any]:
    raw = make_small(users=USERS, protocol={"rules": 2}, output={"pictures": False})
    return {**raw, **LEDGER}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of finished runs by two mechanisms."""
    out = tmp_path_factory.mktemp("stamped")
    by_work = {**make_by_work(users=USERS), **LEDGER}
    (out / "by_work.yaml").write_text(yaml.safe_dump(by_work), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert cli.main(["run", "by_work.yaml", "--quiet"]) == 0
    (folder,) = out.glob("runs/by-work-*")
    return {"training": run_made_up(out, make_by_training()), "work": folder}


@pytest.mark.parametrize("name", ["training", "work"])
def test_every_transfer_of_the_chain_is_stamped(
    name: str, folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folders[name]
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    transfers = [transaction for block in blocks for transaction in block.transactions]
    assert mechanism.stamp_bits == BITS
    assert transfers
    assert {len(item.signature) for item in transfers} == {SIGNATURE_BYTES + STAMP_BYTES}
    assert json.loads((folder / "chain.jsonl").read_text("utf-8").splitlines()[0])["stamp_bits"] == BITS
    assert json.loads((folder / "summary.json").read_text("utf-8"))["messages"]["rejected"].get("no-stamp") is None
    assert cli.main(["verify", str(folder)]) == 0
    assert f"stamps: each transfer shows {BITS} zero bits or more" in capsys.readouterr().out
    assert cli.main(["audit", str(folder), "--key", "user-0"]) == 0


def test_a_certificate_says_that_its_chain_asks_for_stamps(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folders["training"] / "certificate.json"
    assert cli.main(["verify", str(path)]) == 0
    told = json.loads(path.read_text("utf-8"))
    assert told["stamp_bits"] == BITS
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "the block at height 1 does not follow the one before it"),
        ({"stamp_bits": BITS - 1}, "the block at height 1 does not follow the one before it"),
        ({"stamp_bits": 0}, "stamp_bits is 0, and not a number from 1 to 64"),
        ({"stamp_bits": True}, "stamp_bits is true, and not a number from 1 to 64"),
    ]
    for changed, wanted in cases:
        rest = {key: value for key, value in told.items() if key != "stamp_bits"}
        (tmp_path / "certificate.json").write_text(json.dumps({**rest, **changed}), "utf-8")
        assert cli.main(["verify", str(tmp_path / "certificate.json")]) == 1
        assert wanted in capsys.readouterr().err


def test_a_chain_that_asks_for_fewer_bits_is_another_chain(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(folders["work"], tmp_path / "run")
    edit_scenario(folder, ("ledger", "stamp_bits"), BITS - 1, is_fingerprint_renewed=True)
    assert cli.main(["verify", str(folder)]) == 1
    wanted = f"chain.jsonl: the genesis: stamp_bits is {BITS}, scenario.yaml gives {BITS - 1}"
    assert wanted in capsys.readouterr().err


@pytest.mark.parametrize("bits", ["true", "-1", "65", '"6"', "6.0"])
def test_what_is_no_number_of_bits_is_found(bits: str, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy(folders["work"], tmp_path / "run")
    edit_text(folder, "chain.jsonl", lambda text: text.replace(f'"stamp_bits": {BITS}', f'"stamp_bits": {bits}'))
    with pytest.raises(ChainFileError, match=r"chain\.jsonl:1: not a genesis: stamp_bits is "):
        read_chain(folder / "chain.jsonl")


def copy(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (to / file.name).write_bytes(file.read_bytes())
    return to


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("ledger.stamp_bits=25", "ledger.stamp_bits: write 24 or less, not 25"),
        ("ledger.stamp_bits=1.5", "ledger.stamp_bits: write a whole number, not 1.5"),
        ("ledger={stamp_bits: 24}", "stamps of 24 bits for 50 transfers take 838,860,800 hashes"),
        ("ledger.bits=3", "ledger.bits: unknown key; allowed here: stamp_bits"),
    ],
)
def test_a_bad_number_of_bits_is_one_sentence(setting: str, wanted: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(CONFIGS / "default.yaml", [setting])
    assert wanted in str(caught.value)


@pytest.mark.processes
def test_users_of_real_processes_find_stamps_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = (
        "mechanism={name: proof_of_work, length: 4, interval_ms: 300.0, hash_rate: 4000.0, window: 2}",
        "populations.fast.count=0",
        "populations.honest.count=3",
        "users={count: 3, transactions: 6}",
        "ledger.stamp_bits=10",
        "output.pictures=false",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    assert cli.main(["run", "proof_of_work", "--quiet", *options]) == 0
    (folder,) = tmp_path.glob("runs/proof_of_work-*")
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["messages"]["rejected"] == {}
    assert summary["ledger"]["transactions"] > 0
    assert cli.main(["verify", str(folder)]) == 0


# ---- what it costs to fill pools ----


def count_stuffed(monkeypatch: pytest.MonkeyPatch, bits: int, *, mints: bool = True) -> tuple[int, int, dict[str, int]]:
    """Return how many of a filler's transfers got into a pool, how many hashes they took, and what was refused."""
    hashes = 0
    plain = Rules.sign

    def sign(rules: Rules, keys: Any, message: Any) -> Any:
        nonlocal hashes
        if not mints:
            return keys.sign(rules.chain_id, message)
        signed = plain(rules, keys, message)
        stamp = signed.signature[SIGNATURE_BYTES:]
        hashes += int.from_bytes(stamp, "big") + 1 if stamp else 0
        return signed

    monkeypatch.setattr(Rules, "sign", sign)
    behaviour = {"kind": "pool_filler", "accounts": 1}
    crowd = (population("honest", 3), population("bad", 1, "adversary", behaviours=[behaviour]))
    raw = {**make_raw(*crowd, job={"stages": 4}, protocol={"rules": 1}), "ledger": {"stamp_bits": bits}}
    observed = observe(raw)
    heard = [item for item in observed.judgements if item.kind == "transaction" and item.peer == "bad-0"]
    taken = sum(item.outcome == "accept" for item in heard if item.who == "honest-0")
    return taken, hashes, dict(observed.count_refused("bad"))


def test_a_place_in_pools_costs_two_to_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    free = count_stuffed(monkeypatch, 0)
    assert free[0] > 200
    assert free[1:] == (0, {})
    monkeypatch.undo()
    taken, hashes, refused = count_stuffed(monkeypatch, BITS)
    assert (taken, refused) == (free[0], {})
    assert 0.8 < hashes / (taken * 2**BITS) < 1.2


@pytest.mark.parametrize("reason", ["no-stamp", "bad-stamp", "unasked-stamp"])
def test_a_stamp_is_not_signed_so_whoever_sent_it_is_blamed(reason: str) -> None:
    """Anybody can take the stamp of another's transfer away, or put another one there."""
    assert find_blamed("user-0", "bad-0", reason) == "bad-0"


def test_who_finds_no_stamps_gets_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, hashes, refused = count_stuffed(monkeypatch, BITS, mints=False)
    assert (taken, hashes) == (0, 0)
    assert set(refused) == {"no-stamp"}
