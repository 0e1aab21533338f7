"""The watch names the first event that breaks an invariant, and is quiet where none is broken."""

from typing import Any

import pytest

from simulation.analysis.during_run import CONFIRMATION_DEPTH, InvariantMonitor
from simulation.records.record import Record
from simulation.records.tally import Tally
from tests.support.scenarios import appended, note, trained

HONEST = ("honest-0", "honest-1")


def follow(*records: Record, must_agree: bool = True, is_exact: bool = True, **changes: Any) -> str | None:
    """Return what a watch has found after some records, the first of which is number 1."""
    tally = Tally()
    for label in HONEST:
        tally.get_party(label).role = "honest"
    watch = InvariantMonitor(HONEST, tally, must_agree=must_agree, is_exact=is_exact, **changes)
    for record in records:
        tally.add(record)
        watch.add(record)
    return watch.fault


def grow(who: str, branch: str, first: int, last: int, parent: str) -> list[Record]:
    """Return the records of a party that appends blocks of a branch, from one height to another."""
    records = []
    for height in range(first, last + 1):
        block = f"0x{branch}{height}"
        records.append(appended(who, height, block, parent, "0xaa"))
        parent = block
    return records


def rejected(who: str, kind: str, reason: str, **fields: Any) -> Record:
    return note(who, "rejected", kind=kind, reason=reason, author="bad-0", peer="bad-0", **fields)


def sent(who: str, kind: str, header: str) -> Record:
    return note(who, "sent", kind=kind, header=header, height=1, to="all", copies=1, bytes=1)


# ---- agreement ----


def test_two_final_blocks_of_one_height_break_agreement_at_the_event_that_makes_the_second_final() -> None:
    mine = grow("honest-0", "a", 1, 1 + CONFIRMATION_DEPTH, "genesis")
    other = grow("honest-1", "b", 1, 1 + CONFIRMATION_DEPTH, "genesis")
    assert follow(*mine, *other[:-1]) is None
    fault = follow(*mine, *other)
    assert fault is not None
    assert fault.startswith("agreement: honest-1 has 0xb1 at height 1 under 6 others, honest-0 has 0xa1")
    assert f"event {len(mine) + len(other)}," in fault


def test_where_blocks_are_final_at_once_two_of_one_height_break_agreement_at_once() -> None:
    mine, other = grow("honest-0", "a", 1, 2, "genesis"), grow("honest-1", "b", 1, 1, "genesis")
    assert follow(*mine, *other) is None
    fault = follow(*mine, *other, depth=0)
    assert fault is not None
    assert fault.startswith("agreement: two final blocks at height 1: honest-1 has 0xb1, honest-0 has 0xa1")


def test_a_block_refused_for_what_its_name_leaves_out_may_come_again() -> None:
    refused = rejected("honest-0", "block", "no-quorum", block="0xa1")
    mine = grow("honest-0", "a", 1, 1, "genesis")
    assert follow(refused, *mine, detached=["no-quorum"]) is None
    assert "refusal" in (follow(refused, *mine) or "")


def test_a_reorganisation_of_a_final_block_breaks_agreement_even_where_all_agree_at_the_end() -> None:
    mine = grow("honest-0", "a", 1, 1 + CONFIRMATION_DEPTH, "genesis")
    instead = grow("honest-0", "b", 1, 2 + CONFIRMATION_DEPTH, "genesis")
    fault = follow(*mine, *instead)
    assert fault is not None
    assert fault.startswith("agreement: honest-0 has 0xb1")


def test_branches_above_the_confirmation_depth_are_no_fault() -> None:
    trunk = grow("honest-0", "a", 1, 10, "genesis")
    twin = [*grow("honest-1", "a", 1, 4, "genesis"), *grow("honest-1", "b", 5, 10, "0xa4")]
    assert follow(*trunk, *twin) is None


def test_nodes_that_cannot_hear_each_other_need_not_agree() -> None:
    mine, other = grow("honest-0", "a", 1, 9, "genesis"), grow("honest-1", "b", 1, 9, "genesis")
    assert follow(*mine, *other) is not None
    assert follow(*mine, *other, must_agree=False) is None


def test_what_others_hold_final_is_their_business() -> None:
    mine = grow("honest-0", "a", 1, 8, "genesis")
    assert follow(*mine, *grow("bad-0", "b", 1, 9, "genesis"), *grow("employer", "b", 1, 9, "genesis")) is None


# ---- refusals ----


@pytest.mark.parametrize("kind", ["stakeholder", "block"])
def test_signing_or_wrapping_what_was_refused_is_found(kind: str) -> None:
    fault = follow(
        rejected("honest-0", "header", "different-weights", header="0xc1"),
        sent("honest-1", kind, "0xc1"),
        sent("honest-0", kind, "0xc1"),
    )
    assert fault is not None
    assert fault.startswith(
        "refusal: honest-0 signed the header 0xc1, which it had refused (different-weights, event 1,"
    )
    assert "(event 3," in fault


def test_appending_a_refused_block_is_found() -> None:
    fault = follow(
        rejected("honest-0", "block", "wrong-coinbase", block="0xb1", header="0xc1"),
        appended("honest-0", 1, "0xb1", "genesis", "0xaa"),
    )
    assert fault is not None
    assert fault.startswith("refusal: honest-0 appended the block 0xb1")


@pytest.mark.parametrize("reason", ["bad-signature", "equivocation", "duplicate"])
def test_refusals_that_anyone_can_cause_bind_nobody(reason: str) -> None:
    assert (
        follow(rejected("honest-0", "header", reason, header="0xc1"), sent("honest-0", "stakeholder", "0xc1")) is None
    )


def test_refusing_a_block_leaves_its_header_free_to_be_signed() -> None:
    refusal = rejected("honest-0", "block", "wrong-coinbase", block="0xb1", header="0xc1")
    assert follow(refusal, sent("honest-0", "block", "0xc1")) is None


# ---- poison ----


def test_the_event_that_appends_a_poisoned_stage_is_named() -> None:
    fault = follow(
        trained("bad-0", 0, "0xbb", data="poisoned"),
        appended("bad-0", 1, "0xb1", "genesis", "0xbb"),
        appended("honest-1", 1, "0xb1", "genesis", "0xbb"),
    )
    assert fault is not None
    assert fault.startswith("poison: honest-1 appended 0xb1, a poisoned stage (event 3,")


def test_a_stage_that_a_clean_node_got_as_well_is_no_poison() -> None:
    records = (
        trained("bad-0", 0, "0xbb", data="poisoned"),
        trained("honest-0", 0, "0xbb"),
        appended("honest-1", 1, "0xb1", "genesis", "0xbb"),
    )
    assert follow(*records) is None


def test_a_poisoned_stage_breaks_no_invariant_where_a_tolerance_may_let_it_through() -> None:
    records = (trained("bad-0", 0, "0xbb", data="poisoned"), appended("honest-0", 1, "0xb1", "0x000", "0xbb"))
    assert follow(*records) is not None
    assert follow(*records, is_exact=False) is None
