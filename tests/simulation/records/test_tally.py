import pytest

from simulation.records.facts import Ended
from simulation.records.lines import DEBUG, WARNING
from simulation.records.record import Record
from simulation.records.tally import Tally
from tests.support.scenarios import appended, made_up_run, note, opening, trained


def count(*records: Record) -> Tally:
    tally = Tally()
    for record in records:
        tally.add(record)
    return tally


@pytest.fixture
def tally() -> Tally:
    return count(*made_up_run())


def roles(**named: str) -> list[Record]:
    return [
        note(label.replace("_", "-"), "node", level=DEBUG, population=label[:-2], role=role, stake=1)
        for label, role in named.items()
    ]


def test_who_took_part_is_known(tally: Tally) -> None:
    found = {label: (node.population, node.role, node.pid) for label, node in tally.nodes.items()}
    assert found == {
        "good-0": ("good", "honest", 100),
        "good-1": ("good", "honest", 101),
        "bad-0": ("bad", "data_injection", 102),
    }
    assert tally.employer.pid == 103


def test_the_heights_heads_balances_and_outcomes_are_the_last_ones(tally: Tally) -> None:
    good, bad = tally.nodes["good-0"], tally.nodes["bad-0"]
    assert (good.height, good.head, good.balance, good.outcome) == (2, "0xb2", 12.5, "finished")
    assert (bad.height, bad.head, bad.outcome) == (0, "genesis", "crashed")
    assert (tally.employer.height, tally.employer.head, tally.employer.outcome) == (2, "0xb2", "delivered")


def test_messages_are_counted_by_copy_kind_and_byte(tally: Tally) -> None:
    assert dict(tally.sent) == {"transaction": 3, "declaration": 3, "relayed": 2}
    assert tally.sent_bytes == 1600
    assert dict(tally.accepted) == {"declaration": 2, "transaction": 1}
    assert dict(tally.ignored) == {"stale": 5}


def test_refusals_are_counted_by_reason_and_blamed_on_the_right_population(tally: Tally) -> None:
    assert dict(tally.rejected) == {"different-weights": 2, "bad-signature": 1, "malformed": 1}
    assert {name: dict(counts) for name, counts in tally.rejected_from.items()} == {
        "bad": {"different-weights": 1, "bad-signature": 1, "malformed": 1}
    }


def test_acceptances_of_honest_nodes_are_credited_to_the_author(tally: Tally) -> None:
    assert dict(tally.accepted_from) == {"good": 1, "users": 1}


def test_training_is_followed_stage_by_stage() -> None:
    training = note("good-0", "training", level=DEBUG, stage=1)
    assert count(training).training.stage == {"good-0": 1}
    after = count(training, trained("good-0", 1, "0xa"))
    assert (after.training.stage, after.training.trained) == ({}, {"good-0": 1})


def test_training_time_is_useful_where_the_employer_has_its_result(tally: Tally) -> None:
    assert tally.sum_training_cpu() == (3.5, 4.0)


def test_a_chain_goes_from_its_head_down(tally: Tally) -> None:
    assert tally.get_chain("0xb2") == ["0xb2", "0xb1"]
    assert tally.get_chain("genesis") == []


def test_the_evaluation_of_each_block_is_kept(tally: Tally) -> None:
    assert {block: measured.accuracy for block, measured in tally.training.evaluations.items()} == {
        "0xb1": 0.5,
        "0xb2": 0.875,
    }


def test_opening_cost_and_ending_are_kept(tally: Tally) -> None:
    assert tally.cost is not None
    assert (tally.get_opening().scenario, tally.cost.wall_s, tally.end) == ("made-up", 9.5, Ended("complete"))
    assert tally.last_time == 9.5


# ---- agreement ----


def test_agreement_is_the_share_of_living_honest_nodes_on_one_head() -> None:
    records = roles(good_0="honest", good_1="honest", good_2="honest", bad_0="data_injection")
    assert count(*records).compute_agreement()[0] == 1.0
    for label in ("good-0", "good-1"):
        records.append(appended(label, 1, "0xb1", "0x0", "0xa"))
    records.append(appended("bad-0", 5, "0xe1", "0x0", "0xe"))
    share, best = count(*records).compute_agreement()
    assert share == pytest.approx(2 / 3)
    assert best.head == "0xb1"
    records.append(note("good-2", "crashed", level=WARNING, why="killed"))
    assert count(*records).compute_agreement()[0] == 1.0


def test_where_heads_are_equally_common_the_higher_one_is_shown() -> None:
    records = roles(good_0="honest", good_1="honest")
    records += [appended("good-0", 1, "0xb1", "0x0", "0xa"), appended("good-1", 1, "0xb1", "0x0", "0xa")]
    records.append(appended("good-1", 2, "0xb2", "0xb1", "0xa2"))
    share, best = count(*records).compute_agreement()
    assert (share, best.height) == (0.5, 2)


def test_nobody_honest_left_is_no_agreement() -> None:
    records = [*roles(good_0="honest"), note("good-0", "crashed", level=WARNING, why="killed")]
    assert count(*records).compute_agreement()[0] == 0.0
    assert count().compute_agreement()[0] == 0.0


# ---- poisoned stages ----


POISONED = trained("bad-0", 0, "0xpoison", data="poisoned")
CLEAN = trained("good-0", 0, "0xclean")
TEAM = roles(good_0="honest", good_1="honest", bad_0="data_injection")


def test_a_stage_is_poisoned_if_no_clean_data_gave_its_weights() -> None:
    both = [trained("good-0", 0, "0xboth"), trained("bad-0", 0, "0xboth", data="poisoned")]
    blocks = [appended("employer", 1, f"0x{w}", "0x0", f"0x{w}") for w in ("poison", "clean", "both", "nobody")]
    tally = count(*TEAM, POISONED, CLEAN, *both, *blocks)
    assert [tally.is_poisoned(f"0x{w}") for w in ("poison", "clean", "both", "nobody")] == [True, False, False, True]


def test_poisoned_stages_are_counted_apart_for_honest_nodes_and_the_employer() -> None:
    records = [*TEAM, POISONED, CLEAN, appended("good-0", 1, "0xb", "0x0", "0xclean")]
    records += [appended("bad-0", 1, "0xe1", "0x0", "0xpoison"), appended("employer", 1, "0xe1", "0x0", "0xpoison")]
    records += [trained("bad-0", 1, "0xpoison2", data="poisoned"), appended("employer", 2, "0xe2", "0xe1", "0xpoison2")]
    tally = count(*records)
    assert (tally.count_poisoned_honest(), tally.count_poisoned_employer()) == (0, 2)


def test_a_poisoned_stage_in_honest_chains_counts_once() -> None:
    records = [*TEAM, POISONED]
    records += [appended(who, 1, "0xe1", "0x0", "0xpoison") for who in ("good-0", "good-1", "employer")]
    tally = count(*records)
    assert (tally.count_poisoned_honest(), tally.count_poisoned_employer()) == (1, 1)


def test_a_poisoned_stage_counts_although_the_honest_node_has_crashed_since() -> None:
    records = [*TEAM, POISONED, appended("good-0", 1, "0xe1", "0x0", "0xpoison")]
    assert count(*records, note("good-0", "crashed", level=WARNING, why="killed")).count_poisoned_honest() == 1


def test_a_poisoned_stage_that_was_abandoned_does_not_count() -> None:
    records = [*TEAM, POISONED, CLEAN, appended("employer", 1, "0xe1", "0x0", "0xpoison")]
    records.append(appended("employer", 1, "0xb1", "0x0", "0xclean", reorg=1))
    assert count(*records).count_poisoned_employer() == 0


# ---- forks ----


def test_a_block_beside_the_head_is_stored_and_does_not_move_it() -> None:
    records = [*TEAM, *(appended(who, 1, "0xb1", "0x0", "0xa") for who in ("good-0", "good-1"))]
    records.append(appended("good-1", 1, "0xc1", "0x0", "0xa", head=False))
    records.append(appended("bad-0", 1, "0xd1", "0x0", "0xe"))
    tally = count(*records)
    assert tally.nodes["good-1"].head == "0xb1"
    assert tally.count_forks() == 1
    assert tally.reorg_depth_max == 0


def test_a_reorganisation_moves_the_head_and_its_depth_counts_for_honest_nodes() -> None:
    records = [
        *TEAM,
        appended("good-0", 1, "0xc1", "0x0", "0xa"),
        appended("good-0", 2, "0xb2", "0xb1", "0xa", reorg=2),
    ]
    records.append(appended("bad-0", 2, "0xe2", "0xe1", "0xe", reorg=5))
    tally = count(*records)
    assert (tally.nodes["good-0"].head, tally.reorg_depth_max) == ("0xb2", 2)


def test_events_without_a_figure_are_passed_over() -> None:
    tally = count(
        opening(), note("good-0", "phase", level=DEBUG, phase="training", height=1), note("run", "genesis", chain="0x")
    )
    assert tally.nodes == {}
    assert tally.employer.outcome == "running"


def test_the_users_are_no_node() -> None:
    tally = count(note("users", "started", pid=5), note("users", "crashed", level=WARNING, why="killed"))
    assert tally.nodes == {}
