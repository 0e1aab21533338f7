"""What blocks cost: each figure against one worked out by hand, and counts against what was recorded one by one."""

from typing import Any

import pytest

from simulation.analysis.costs import measure_costs
from simulation.analysis.measures import compute_measures
from simulation.records.record import Record
from simulation.records.tally import Tally
from simulation.records.training_facts import Trained
from tests.simulation.mechanisms.proof_of_work import scenarios as work
from tests.support.memory_runs import Ended, make_raw, population, simulate
from tests.support.scenarios import appended, note, trained

NODES = ("good-0", "good-1", "bad-0")


def spent(who: str, cpu_s: float, signed: int, checked: int) -> Record:
    return note(who, "spent", cpu_s=cpu_s, signed=signed, checked=checked)


def count(*records: Record) -> Tally:
    tally = Tally()
    for label in NODES:
        role = "adversary" if label.startswith("bad") else "honest"
        tally.add(note(label, "node", population=label.split("-")[0], role=role, stake=1))
    for record in records:
        tally.add(record)
    return tally


def measure(mechanism: str, *records: Record) -> dict[str, Any]:
    found = measure_costs(count(*records), mechanism)
    assert found is not None
    return found


BLOCKS = (
    note("run", "genesis", time=2.0, chain="0x1"),
    *(appended(who, 1, "0xa1", "genesis", "0xa") for who in ("good-0", "good-1")),
    *(appended(who, 2, "0xa2", "0xa1", "0xb") for who in ("good-0", "good-1")),
    appended("good-1", 2, "0xa3", "0xa1", "0xc", head=False),  # which nobody follows
)


def test_all_that_was_spent_is_divided_by_the_blocks_of_the_honest_chain() -> None:
    found = measure(
        "proof_of_work",
        *BLOCKS,
        note("good-0", "sent", kind="transaction", to="all", copies=3, bytes=300),
        note("employer", "relayed", copies=1, bytes=100),
        *(
            note(who, "hashed", tries=tries, found=True, drawn=False, cpu_s=0.5)
            for who, tries in zip(NODES, (4, 2, 8), strict=True)
        ),
        *(spent(who, 1.5, 5, 7) for who in NODES),
        spent("employer", 100.0, 100, 100),  # which is no node
    )
    assert found == {
        "final_blocks": 2,
        "cpu_s_each": 2.25,
        "hashes_each": 7.0,
        "signatures_made_each": 7.5,
        "signatures_checked_each": 10.5,
        "messages_each": 2.0,
        "bytes_each": 200.0,
        "seconds_each": 0.5,  # from the genesis at 2 to the last block at 3
        "useful_share": 0.0,
        "repeated_share": 0.0,
    }


def test_a_stage_is_useful_once_however_many_have_trained_it() -> None:
    found = measure(
        "proof_of_training",
        *BLOCKS,
        *(trained(who, 0, "0xa", cpu_s=cpu_s) for who, cpu_s in zip(NODES, (1.0, 2.0, 3.0), strict=True)),
        trained("good-0", 1, "0xb", cpu_s=4.0),
        trained("good-1", 1, "0xc", cpu_s=5.0),  # is in no chain
        spent("good-0", 20.0, 0, 0),
    )
    assert (found["useful_share"], found["repeated_share"]) == ((2.0 + 4.0) / 20, (6.0 - 2.0) / 20)


def test_a_poisoned_stage_is_of_no_use_though_it_is_in_the_chain() -> None:
    found = measure(
        "proof_of_training",
        *BLOCKS,
        trained("good-0", 0, "0xa", cpu_s=1.0),
        trained("bad-0", 1, "0xb", cpu_s=4.0, data="poisoned"),
        spent("good-0", 10.0, 0, 0),
    )
    assert (found["useful_share"], found["repeated_share"]) == (0.1, 0.0)


def test_a_run_without_blocks_has_no_cost_of_one() -> None:
    found = measure("proof_of_work", spent("good-0", 0.0, 1, 1))
    assert found["final_blocks"] == 0
    assert {found[name] for name in found if name != "final_blocks"} == {None}


def test_a_log_that_does_not_tell_what_nodes_spend_has_no_costs() -> None:
    assert "cost" not in compute_measures(count(*BLOCKS), "proof_of_training")


def get_costs(ended: Ended, mechanism: str) -> dict[str, Any]:
    found = measure_costs(ended.tally, mechanism)
    assert found is not None
    return found


@pytest.mark.parametrize("mechanism", ["proof_of_training", "proof_of_work"])
def test_what_is_only_counted_costs_the_same(mechanism: str) -> None:
    output = {"pictures": False, "records": "essential"}
    raw = work.make_raw() if mechanism == "proof_of_work" else make_raw(population("honest", 5))
    whole, counted = (get_costs(simulate(item), mechanism) for item in (raw, {**raw, "output": output}))
    assert counted == pytest.approx(whole)
    assert whole["final_blocks"] > 1
    assert (whole["useful_share"] > 0) is (mechanism == "proof_of_training")
    assert whole["signatures_checked_each"] > whole["signatures_made_each"] > 0


def test_charged_time_is_that_of_the_work_on_record() -> None:
    ended = simulate(make_raw(population("honest", 4, speed=2.0)))
    told = sum(record.fact.cpu_s for record in ended.records if isinstance(record.fact, Trained))
    assert ended.tally.spent.cpu_s == pytest.approx(told)
    costs = get_costs(ended, "proof_of_training")
    assert costs["useful_share"] + costs["repeated_share"] == pytest.approx(1)  # all of it is in the chain
    assert costs["repeated_share"] == pytest.approx(3 * costs["useful_share"])
