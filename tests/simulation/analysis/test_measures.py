"""Measures follow from records: each figure against one worked out by hand, and a log's against the run's own."""

from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.comparison import build_frame
from simulation.analysis.measures import (
    compute_measures,
    find_best,
    measure_blocks,
    measure_detection,
    measure_populations,
)
from simulation.commands.report.headline import build_headline
from simulation.commands.report.sources import read_run
from simulation.records.facts import GenesisMade
from simulation.records.lines import parse_line
from simulation.records.reading import read_log, read_record
from simulation.records.record import Record
from simulation.records.tally import Tally
from tests.support.memory_runs import make_raw, population, simulate
from tests.support.scenarios import appended, note, opening, to_log, trained


def judged(event: str, author: str, kind: str, who: str = "good-0", reason: str = "different-weights") -> Record:
    fields: dict[str, Any] = {"kind": kind, "author": author, "peer": author}
    return note(who, event, **(fields | {"reason": reason} if event == "rejected" else fields))


def count(*records: Record) -> Tally:
    tally = Tally()
    for label, role in (("good-0", "honest"), ("good-1", "honest"), ("bad-0", "adversary")):
        tally.add(note(label, "node", population=label.split("-")[0], role=role, stake=1))
    for record in records:
        tally.add(record)
    return tally


# ---- detection ----


def test_detection_counts_what_honest_nodes_say_of_attackers_and_of_others() -> None:
    tally = count(
        *[judged("rejected", "bad-0", "header")] * 3,
        judged("accepted", "bad-0", "header"),
        judged("accepted", "bad-0", "declaration"),
        judged("rejected", "good-1", "header"),
        *[judged("accepted", "good-1", "declaration")] * 4,
        judged("accepted", "user-3", "transaction"),
        judged("rejected", "good-1", "header", who="bad-0"),  # an attacker's opinion counts nothing
    )
    headers = measure_detection(tally, "header")
    assert (headers.caught, headers.missed, headers.blamed, headers.passed) == (3, 1, 1, 0)
    assert (headers.precision, headers.recall, headers.false_rejection) == (0.75, 0.75, 1.0)
    both = measure_detection(tally, "header", "declaration")
    assert (both.caught, both.missed, both.blamed, both.passed) == (3, 2, 1, 4)
    everything = measure_detection(tally, "header", "declaration", "transaction")
    assert (everything.caught, everything.missed, everything.blamed, everything.passed) == (3, 2, 1, 5)
    assert everything.recall == 0.6
    assert everything.false_rejection == pytest.approx(1 / 6)
    assert measure_detection(tally, "block").recall is None


def test_detection_without_further_words_is_of_work_and_that_of_all_messages_has_a_name_of_its_own() -> None:
    tally = count(
        judged("rejected", "bad-0", "declaration"),
        judged("rejected", "bad-0", "block"),
        *[judged("accepted", "bad-0", "head")] * 8,
        judged("accepted", "good-1", "stakeholder"),
        judged("accepted", "user-3", "transaction"),
        judged("rejected", "user-3", "transaction"),
    )
    detection = compute_measures(tally, "proof_of_training")["detection"]
    assert (detection["recall"], detection["precision"], detection["false_rejection"]) == (1.0, 1.0, 0.0)
    assert (detection["caught"], detection["missed"], detection["blamed"], detection["passed"]) == (2, 0, 0, 1)
    everything = detection["all_messages"]
    assert (everything["recall"], everything["precision"]) == (0.2, pytest.approx(2 / 3))
    assert everything["false_rejection"] == pytest.approx(1 / 3)


def test_a_summary_a_comparison_and_a_report_have_one_recall(tmp_path: Path) -> None:
    slow = {"confidence": {"count": 3}, "headers_per_slot": 0.02}  # time enough for announcements of heads
    run = simulate(make_raw(population("honest", 5), population("bad", 2, "data_injection"), protocol=slow))
    measured = compute_measures(run.tally, "proof_of_training")["detection"]
    assert measured["all_messages"]["recall"] < measured["recall"] == 1.0
    nodes = [
        note(node.label, "node", population=node.population, role=node.role, stake=node.stake)
        for node in run.world.nodes
    ]
    (tmp_path / "pot_sim.log").write_text(to_log([opening(), *nodes, *run.records]), "utf-8")
    compared = build_frame([read_log(tmp_path)])
    shown = {str(name): str(value) for name, value in compared[compared.columns[0]].items()}
    assert shown["attackers' work rejected"] == "100.00%"
    headline = {row[0]: row[1] for row in build_headline(read_run(tmp_path)).rows}
    assert headline["detection"].startswith("100% of attackers' work rejected")


def test_what_anyone_could_have_written_is_charged_to_the_link() -> None:
    forged = note("good-0", "rejected", kind="header", author="good-1", peer="bad-0", reason="bad-signature")
    assert measure_detection(count(forged), "header").caught == 1


# ---- branches ----


def evaluated(block: str, height: int, accuracy: float) -> Record:
    fields: dict[str, Any] = {
        "height": height,
        "block": block,
        "accuracy": accuracy,
        "trigger_success": 0.5,
        "recalls": "1.0 0.5",
    }
    return note("employer", "evaluated", **fields)


def test_each_branch_has_the_model_of_its_highest_block() -> None:
    tally = count(
        trained("good-0", 0, "0xa"),
        trained("bad-0", 0, "0xb", data="poisoned"),
        appended("employer", 1, "0xa1", "genesis", "0xa"),
        appended("employer", 2, "0xa2", "0xa1", "0xa"),
        appended("employer", 1, "0xb1", "genesis", "0xb"),
        evaluated("0xa1", 1, 0.99),
        evaluated("0xa2", 2, 0.9),
        evaluated("0xb1", 1, 0.3),
    )
    branches = compute_measures(tally, "proof_of_training")["branches"]
    assert branches["honest"] == {"height": 2, "accuracy": 0.9, "recalls": [1.0, 0.5], "trigger_success": 0.5}
    assert branches["poisoned"]["accuracy"] == 0.3
    assert find_best(count(), is_poisoned=True) is None


# ---- blocks and money ----


def test_time_and_messages_to_a_block_are_those_of_the_honest_chain() -> None:
    tally = count(
        at(2.0, appended("good-0", 1, "0xa1", "genesis", "0xa")),
        at(2.5, appended("good-1", 1, "0xa1", "genesis", "0xa")),
        at(5.0, appended("good-1", 2, "0xa2", "0xa1", "0xa")),
        at(6.0, appended("good-0", 2, "0xa2", "0xa1", "0xa")),
        *[note("good-0", "sent", kind="declaration", height=3, to="all", copies=7, bytes=1)] * 4,
    )
    blocks = compute_measures(tally, "proof_of_training")["blocks"]
    assert blocks["seconds_each"] == 2.5
    assert (blocks["messages_each"], blocks["headers_each"]) == (14, 0)


def test_time_to_a_block_counts_from_the_genesis() -> None:
    started = at(3.0, Record(0.0, "INFO", "run", GenesisMade("0xc0")))
    seen = (
        at(4.0, appended("good-0", 1, "0xa1", "genesis", "0xa")),
        at(5.0, appended("good-0", 2, "0xa2", "0xa1", "0xa")),
    )
    tally = count(started, *seen)
    assert measure_blocks(tally)["seconds_each"] == 1.0
    assert measure_blocks(tally, since=0.0)["seconds_each"] == 2.5


def test_a_declaration_that_is_sent_again_is_one_declaration_and_a_repeat() -> None:
    def sent(who: str, kind: str, height: int, **fields: Any) -> Record:
        return note(who, "sent", kind=kind, height=height, to="all", copies=2, bytes=1, **fields)

    tally = count(
        *[sent("good-0", "declaration", 1)] * 3,
        sent("good-1", "declaration", 1),
        sent("good-1", "header", 1, header="0xc1"),
        sent("good-1", "header", 1, header="0xc2"),
        appended("good-0", 1, "0xa1", "genesis", "0xa"),
        sent("good-0", "declaration", 2),
        appended("good-0", 1, "0xb1", "genesis", "0xa", reorg=1),  # a declaration on another parent is another one
        *[sent("good-0", "declaration", 2)] * 2,
    )
    blocks = compute_measures(tally, "proof_of_training")["blocks"]
    assert (blocks["declarations_each"], blocks["declarations_repeated_each"], blocks["headers_each"]) == (4, 3, 2)


def test_nodes_make_one_declaration_for_each_block_however_slow_the_round_is() -> None:
    slow = {"slot_ms": 25.0, "headers_per_slot": 0.02, "confidence": {"count": 3}, "stakeholders": 2}
    run = simulate(make_raw(population("honest", 3), protocol=slow))
    blocks = compute_measures(run.tally, "proof_of_training")["blocks"]
    assert blocks["declarations_each"] == 3
    assert blocks["declarations_repeated_each"] > 0


def test_what_was_sent_is_unknown_where_it_was_only_counted() -> None:
    run = simulate(make_raw(population("honest", 4), output={"records": "essential"}))
    blocks = compute_measures(run.tally, "proof_of_training")["blocks"]
    assert blocks["messages_each"] > 0
    assert (blocks["declarations_each"], blocks["declarations_repeated_each"], blocks["headers_each"]) == (None,) * 3
    assert [blocks[name] for name in ("reorganisations", "settled_undone", "last_replaced")] == [None] * 3


def at(time: float, record: Record) -> Record:
    return Record(time, record.level, record.who, record.fact)


def finished(who: str, head: str) -> Record:
    return note(who, "final", outcome="finished", height=2, head=head, reorg=1, balance=0.0)


def test_reorganisations_are_those_of_an_honest_node_on_average_and_a_right_used_twice_may_be_one() -> None:
    twice: dict[str, Any] = {"height": 1, "author": "bad-0", "first": "0xb1", "second": "0xc1"}
    tally = count(
        appended("good-0", 1, "0xa1", "genesis", "0xa"),
        appended("good-0", 1, "0xb1", "genesis", "0xa", reorg=1),
        note("good-0", "used_twice", **twice, head="genesis", head_height=0),
        note("good-0", "used_twice", **twice, head="genesis", head_height=0),  # nothing left to give up
        appended("bad-0", 1, "0xa1", "genesis", "0xa"),
        appended("bad-0", 1, "0xb1", "genesis", "0xa", reorg=1),  # nobody honest
    )
    assert compute_measures(tally, "proof_of_training")["blocks"]["reorganisations"] == 1.0


@pytest.mark.parametrize(
    ("who", "later", "is_replaced"), [("good-0", 9.0, True), ("good-0", 2.0, False), ("bad-0", 9.0, False)]
)
def test_the_last_block_is_replaced_if_somebody_honest_gives_it_up_later(
    who: str, later: float, *, is_replaced: bool
) -> None:
    tally = count(
        at(1.0, appended(who, 1, "0xa1", "genesis", "0xa")),
        at(1.5, appended(who, 1, "0xb1", "genesis", "0xa", reorg=1)),  # is not the last
        at(2.0, appended(who, 2, "0xb2", "0xb1", "0xa")),
        at(later, appended(who, 2, "0xc2", "0xb1", "0xa", reorg=1)),
        finished(who, "0xc2"),
    )
    assert compute_measures(tally, "proof_of_training")["blocks"]["last_replaced"] == is_replaced


@pytest.mark.parametrize(
    ("who", "depth", "is_undone"), [("good-0", 7, True), ("good-0", 6, False), ("bad-0", 7, False)]
)
def test_a_block_with_six_others_on_it_is_undone_if_somebody_honest_gives_up_seven(
    who: str, depth: int, *, is_undone: bool
) -> None:
    tally = count(appended(who, 8, "0xa8", "0xa7", "0xa", reorg=depth))
    assert compute_measures(tally, "proof_of_training")["blocks"]["settled_undone"] == is_undone


def test_a_block_that_is_replaced_in_a_job_that_is_not_done_is_not_the_last() -> None:
    tally = count(
        at(1.0, appended("good-0", 1, "0xa1", "genesis", "0xa")),
        at(9.0, appended("good-0", 1, "0xb1", "genesis", "0xa", reorg=1)),
    )
    assert compute_measures(tally, "proof_of_training")["blocks"]["last_replaced"] is False


def test_who_proposed_is_told_of_the_honest_chain_by_population() -> None:
    tally = count(
        appended("good-0", 1, "0xa1", "genesis", "0xa", proposer="bad-0"),
        appended("good-0", 2, "0xa2", "0xa1", "0xa", proposer="good-1"),
        appended("good-0", 2, "0xb2", "0xa1", "0xa", proposer="bad-0", head=False),  # beside the chain
        appended("good-0", 3, "0xa3", "0xa2", "0xa", proposer="0x123456789abc"),  # of no party
        appended("good-0", 4, "0xa4", "0xa3", "0xa", proposer="good-0"),
    )
    assert compute_measures(tally, "proof_of_training")["proposed"] == {"bad": 0.25, "good": 0.5}


def test_profit_is_coins_for_each_cpu_second_of_training() -> None:
    final: dict[str, Any] = {"outcome": "finished", "height": 1, "head": "0xa1", "reorg": 0}
    tally = count(
        trained("good-0", 0, "0xa"),
        note("good-0", "final", balance=30.0, **final),
        note("good-1", "final", balance=10.0, **final),
        note("bad-0", "final", balance=5.0, **final),
    )
    measured = measure_populations(tally)
    cpu_s = measured["good"]["training_cpu_s"]
    assert cpu_s > 0
    assert (measured["good"]["nodes"], measured["good"]["coins_earned"]) == (2, 40.0)
    assert measured["good"]["coins_per_cpu_s"] == pytest.approx(40.0 / cpu_s)
    assert (measured["bad"]["role"], measured["bad"]["coins_per_cpu_s"]) == ("adversary", None)


def test_a_log_gives_the_measures_of_the_run_itself() -> None:
    raw = make_raw(population("honest", 5), population("bad", 2, "data_injection"), users={"count": 3})
    run = simulate(raw)
    read = Tally()
    for node in run.world.nodes:
        party = read.get_party(node.label)
        party.population, party.role = node.population, node.role
    for record in run.records:
        read.add(read_record(parse_line(record.to_line().to_text())))
    measured = compute_measures(run.tally, "proof_of_training")
    assert compute_measures(read, "proof_of_training") == measured
    assert measured["detection"]["recall"] > 0
    assert measured["detection"]["false_rejection"] == 0
    assert measured["blocks"]["seconds_each"] > 0
    assert measured["populations"]["honest"]["coins_earned"] > 0
