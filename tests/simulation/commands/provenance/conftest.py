"""Stored runs that were looked up: one by each mechanism, and one by a mechanism without words of its own."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulation.foundation.project import ROOT
from tests.round_robin.parts import register
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw as make_by_work
from tests.support.memory_runs import population
from tests.support.stored_runs import make_small, run_made_up

register()

STAMP_BITS = 4
USERS = {"count": 3, "transactions": 12, "per_second": 20.0}
FILLER = {"behaviours": [{"kind": "pool_filler", "accounts": 1}]}


def make_by_training() -> dict[str, Any]:
    return make_small(users=USERS, output={"pictures": False})


def make_by_turns() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((ROOT / "tests/round_robin/round_robin.yaml").read_text("utf-8"))
    return {**raw, "engine": "virtual", "output": {"pictures": False}}


def make_with_strangers() -> dict[str, Any]:
    """Return a scenario by work in which a node opens an account for a key of no party."""
    raw = make_by_work(users=USERS)
    filler = {**population("filler", 1, "adversary", **FILLER), "stake": 0.0}
    return {**raw, "populations": [*raw["populations"], filler]}


def make_shipped(name: str, **changes: Any) -> dict[str, Any]:
    """Return a shipped scenario in simulated time with stamped transfers; ``changes`` are for keys of its mechanism."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text("utf-8"))
    keys = {**raw["mechanism"], **changes}
    sections = {"users": USERS, "ledger": {"stamp_bits": STAMP_BITS}, "output": {"pictures": False}}
    return {**raw, **sections, "mechanism": keys, "engine": "virtual"}


def make_by_stake() -> dict[str, Any]:
    """Return a scenario in which a node bonds coins, and another one has some of its own back before the end."""
    return make_shipped("stake_chain", length=24, unbonding_blocks=4)


SCENARIOS = {
    "proof_of_training": make_by_training,
    "proof_of_work": make_with_strangers,
    "stake_chain": make_by_stake,
    "stake_bft": lambda: make_shipped("stake_bft", length=5),
    "proof_of_activity": lambda: make_shipped("proof_of_activity", length=5),
    "round_robin": make_by_turns,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folder of a finished run by each mechanism."""
    return {name: run_made_up(tmp_path_factory.mktemp(name), make()) for name, make in SCENARIOS.items()}


@pytest.fixture(params=SCENARIOS)
def folder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    """Return the folder of a finished run."""
    found: Path = folders[request.param]
    return found
