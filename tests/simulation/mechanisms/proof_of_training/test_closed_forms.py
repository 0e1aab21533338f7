"""Formulas are used where all they assume is so, and nowhere else."""

from typing import Any

import pytest
import yaml

from simulation.mechanisms.proof_of_training.closed_forms import DECEIVED, SECONDS_TO_BLOCK, predict
from simulation.mechanisms.proof_of_training.formulas import (
    compute_partisan_blocks,
    compute_partisan_coins,
    compute_slots_to_block,
    deceive_employer,
    deceive_employer_by_inventing,
    deceive_employer_in_slots,
)
from simulation.scenario.loading import CONFIGS, build_scenario, load_scenario
from simulation.scenario.overrides import Override
from tests.support.races import win_race

RACE: dict[str, Any] = yaml.safe_load((CONFIGS / "studies" / "race.yaml").read_text("utf-8"))
WITHHOLDING: dict[str, Any] = yaml.safe_load((CONFIGS / "studies" / "withholding.yaml").read_text("utf-8"))


def say(raw: dict[str, Any], **changes: object) -> dict[str, float]:
    """Return what is predicted for a scenario with changes; two underscores stand for a dot."""
    overrides = [Override("a test", key.replace("__", "."), value) for key, value in changes.items()]
    return predict(build_scenario("a test", raw, overrides))


def test_a_race_of_equals_is_even() -> None:
    assert say(RACE) == {DECEIVED: pytest.approx(0.5)}


@pytest.mark.parametrize(("attackers", "honest"), [(3, 17), (8, 12), (15, 5)])
def test_in_a_race_with_one_stakeholder_proposer_and_wrapper_are_of_one_side(attackers: int, honest: int) -> None:
    counts = {"populations__attackers__count": attackers, "populations__honest__count": honest}
    found = say(RACE, protocol__stakeholders=1, protocol__rules=1, **counts)
    assert found[DECEIVED] == pytest.approx(win_race(2, attackers**2 / (attackers**2 + honest**2)))
    in_slots = deceive_employer_in_slots(attackers, honest, stakeholders=1, blocks=2, headers_per_slot=0.5)
    assert say(RACE, protocol__stakeholders=1, protocol__rules=2, **counts)[DECEIVED] == in_slots


def test_a_side_without_confidence_does_not_race() -> None:
    small = {"populations__attackers__count": 2, "populations__honest__count": 18}
    large = {"populations__attackers__count": 18, "populations__honest__count": 2}
    assert say(RACE, **small)[DECEIVED] == 0
    assert say(RACE, **large)[DECEIVED] == 1
    share = {"protocol__confidence": {"stake_share": 0.5}}
    assert [say(RACE, **share, **counts)[DECEIVED] for counts in (small, {}, large)] == [0, 0, 1]


def test_lazy_verifiers_count() -> None:
    counts = {"populations__attackers__count": 6, "populations__honest__count": 8, "populations__lazy__count": 6}
    race: dict[str, Any] = {"stakeholders": 3, "blocks": 2, "lazy": 6}
    assert say(RACE, protocol__rules=1, **counts)[DECEIVED] == deceive_employer(6, 8, **race)
    assert say(RACE, protocol__rules=2, **counts)[DECEIVED] == deceive_employer_in_slots(
        6, 8, headers_per_slot=0.5, **race
    )


def test_who_invents_results_may_begin_at_any_block() -> None:
    inventing = {
        "protocol__rules": 2,
        "populations__attackers__role": "adversary",
        "populations__attackers__behaviours": ["fabricator"],
        "populations__attackers__count": 4,
        "populations__honest__count": 8,
    }
    form = deceive_employer_by_inventing(4, 8, stakeholders=3, blocks=2, headers_per_slot=0.5)
    assert say(RACE, **inventing) == {DECEIVED: form}
    assert say(RACE, **inventing, protocol__confidence={"stake_share": 0.5}) == {DECEIVED: 0.0}
    others = [{"protocol__rules": 1}, {"populations__lazy__count": 1}, {"job__stages": 7}]
    assert [say(RACE, **{**inventing, **change}) for change in others] == [{}] * len(others)


@pytest.mark.parametrize(("leaves_out", "listed"), [(False, 1.0), (True, 11 / 20)])
def test_who_signs_for_its_coalition_only_has_more_blocks_than_its_share(leaves_out: bool, listed: float) -> None:
    partisans: dict[str, object] = {
        "protocol__rules": 2,
        "protocol__confidence": {"stake_share": 0.5},
        "populations__attackers__role": "adversary",
        "populations__attackers__behaviours": [{"kind": "partisan", "leaves_out": leaves_out}],
        "populations__attackers__count": 6,
        "populations__honest__count": 14,
    }
    blocks = compute_partisan_blocks(6, 20, stakeholders=3, headers_per_slot=0.5)
    coins = compute_partisan_coins(6, 20, (0.4, 0.3, 0.3), blocks=blocks, listed=listed)
    assert say(RACE, **partisans) == {
        "measures.proposed.attackers": blocks,
        "training.shares.attackers.coins": coins,
    }
    others: list[dict[str, object]] = [
        {"protocol__rules": 1},
        {"populations__lazy__count": 1},
        {"protocol__declarations_per_slot": 5.0},
    ]
    assert [say(RACE, **{**partisans, **change}) for change in others] == [{}] * len(others)


def test_nothing_is_predicted_where_a_repair_is_left_out() -> None:
    assert say(RACE, protocol__rules=2, protocol__without=["single_rights"]) == {}


@pytest.mark.parametrize(
    ("withheld", "silent"), [(["block"], 1), (["signature"], 2), (["header"], None), (["signature", "block"], 3)]
)
def test_withholding_takes_time(withheld: list[str], silent: int | None) -> None:
    counts = {"populations__honest__count": 7, "populations__withholders__count": 4}
    behaviours = [{"kind": "withholder", "what": what} for what in withheld]
    found = say(WITHHOLDING, populations__withholders__behaviours=behaviours, protocol__slot_ms=500.0, **counts)
    if silent is None:
        assert found == {}
    else:
        slots = compute_slots_to_block(4, 11, stakeholders=silent, headers_per_slot=0.2)
        assert found == {SECONDS_TO_BLOCK: pytest.approx(slots / 2)}


def test_honest_nodes_alone_are_never_deceived_and_need_what_their_lottery_needs() -> None:
    found = say(WITHHOLDING)
    assert found == {DECEIVED: 0.0, SECONDS_TO_BLOCK: pytest.approx(1 / (1 - (1 - 0.2 / 11) ** 11))}


@pytest.mark.parametrize(
    "change",
    [
        {"virtual__trainer": "keras"},
        {"virtual__step_us": 20_000.0},
        {"network__latency": {"kind": "constant", "ms": 1.0}},
        {"network__loss": 0.1},
        {"network__topology": "ring"},
        {"network__bandwidth_mbps": 10.0},
        {"network__outages": [{"node": "honest-0", "down_s": 1.0}]},
        {"protocol__declarations_per_slot": 5.0},
        {"protocol__headers_per_slot": 3.0},
        {"populations__attackers__stake": 20.0},
        {"populations__attackers__identities": 2},
        {"populations__attackers__colluding": False},
        {"populations__attackers__behaviours": ["equivocator"]},
        {"populations__attackers__poison": None, "populations__attackers__role": "silent"},
        {"corruptions": [{"name": "bad", "role": "data_injection", "of": ["honest"], "count": 1}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_nothing_is_said_where_an_assumption_does_not_hold(change: dict[str, object]) -> None:
    assert say(RACE, **change) == {}


def test_two_groups_of_poisoners_are_no_race_of_two() -> None:
    raw = {**RACE, "populations": [*RACE["populations"], {**RACE["populations"][1], "name": "others"}]}
    assert say(raw) == {}


def test_nothing_is_said_of_the_default_scenario() -> None:
    assert predict(load_scenario(CONFIGS / "default.yaml")) == {}
