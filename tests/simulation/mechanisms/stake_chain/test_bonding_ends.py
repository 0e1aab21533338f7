"""What a scenario bonds too late, and a chain from which all coins at stake have been taken out, are said."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from protocol.rules import Rules
from simulation.analysis.promises import find_promises
from simulation.commands.cli import main
from tests.simulation.mechanisms.stake_chain.scenarios import make_raw
from tests.support.memory_runs import Ended, simulate
from tests.support.scenarios import save

USERS = {"count": 1, "transactions": 0}
"""Deposits and withdrawals are handed over with users' transfers."""


def plan(kind: str, at_s: float, **sections: Any) -> dict[str, Any]:
    """Return a scenario of 12 slots, half a second each, with one deposit or withdrawal."""
    keys = {kind: [{"node": "honest-0", "at_s": at_s, "coins": 10.0}]}
    return make_raw(mechanism=keys, users=USERS, **sections)


def validate(raw: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit code of `validate`, and what it says besides."""
    path = save(folder, yaml.safe_dump(raw))
    return main(["validate", str(path)]), capsys.readouterr().err.replace(f"{path}: ", "")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (plan("deposits", 6.0), "12 blocks, one a slot, are made by 6 s"),
        (plan("deposits", 20.0, run={"time_limit_s": 20.0}), "run.time_limit_s is 20"),
        (plan("withdrawals", 20.0, run={"time_limit_s": 20.0}), "run.time_limit_s is 20"),
    ],
)
def test_what_no_block_can_carry_is_refused(
    raw: dict[str, Any], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ((kind, listed),) = [(key, value) for key, value in raw["mechanism"].items() if key in ("deposits", "withdrawals")]
    wanted = f"mechanism.{kind}.0.at_s: {listed[0]['at_s']:g} s is too late for a block to carry it: {told}; write an"
    assert validate(raw, tmp_path, capsys) == (2, f"{wanted} earlier time\n")


LOSSY = {"network": {"loss": 0.1}}


@pytest.mark.parametrize("raw", [plan("withdrawals", 6.0), plan("deposits", 6.5, **LOSSY)])
def test_what_may_come_too_late_is_said_and_allowed(
    raw: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = validate(raw, tmp_path, capsys)
    assert code == 0
    assert "may be too late for a block to carry it: without empty slots 12 blocks are made by 6 s" in told


def test_what_is_refused_would_have_come_too_late_and_what_is_not_is_carried() -> None:
    ended = simulate(plan("deposits", 5.4))
    assert sum(block.transactions for block in ended.tally.blocks.values()) == 1
    assert (ended.reason, ended.tally.last_time) == ("complete", 6.0)


# ---- standing still ----


def explain(ended: Ended) -> str | None:
    decode = Rules(ended.world.mechanism).decode_block
    blocks = [decode(block) for block in ended.result.chains["employer"]]
    return find_promises(ended.world.scenario).explain_standstill(ended.world, ended.tally, blocks)


WITHDRAWN = [{"node": f"honest-{number}", "at_s": 0.2 + number, "coins": 100.0} for number in range(3)]
SHORT = {"time_limit_s": 30.0}


def test_a_chain_from_which_all_coins_were_withdrawn_ends_with_that_reason() -> None:
    taken = {"withdrawals": WITHDRAWN, "unbonding_blocks": 2}
    ended = simulate(make_raw(("honest", 3, 100.0), length=30, mechanism=taken, users=USERS, run=SHORT))
    assert ended.reason == "time-limit"
    told = (
        "0 coins are left at stake, of 300 at the genesis: all were withdrawn or taken; a block needs a leader with 1"
    )
    assert explain(ended) == f"{told} or more"


def test_a_chain_whose_leaders_are_all_gone_ends_with_that_reason() -> None:
    down = {"outages": [{"node": f"honest-{number}", "down_s": 2.0} for number in range(2)]}
    ended = simulate(make_raw(("honest", 2, 50.0), ("poor", 1, 0.0), length=30, network=down, run=SHORT))
    assert explain(ended) == (
        "all 100 coins at stake are of nodes that are silent or gone; a block needs a leader with 1 or more"
    )


def test_a_chain_that_is_whole_or_can_still_grow_has_no_such_reason() -> None:
    assert explain(simulate(make_raw(length=3))) is None
    assert explain(simulate(make_raw(length=30, run={"time_limit_s": 15.1}))) is None


def test_a_run_from_the_command_line_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = {"withdrawals": WITHDRAWN[:1]}
    raw = make_raw(("honest", 1, 100.0), length=20, mechanism=taken, users=USERS, run=SHORT)
    with contextlib.chdir(tmp_path):
        assert main(["run", str(save(tmp_path, yaml.safe_dump(raw)))]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "ended time-limit: 0 coins are left at stake, of 100 at the genesis" in shown
    (folder,) = tmp_path.glob("runs/by-stake-*")
    assert main(["verify", str(folder)]) == 0
