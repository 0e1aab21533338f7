import pytest

import simulation as pot
from simulation.explorer.form import Field, apply, list_fields


def find(scenario: pot.Scenario, key: str) -> Field:
    (field,) = [field for field in list_fields(scenario) if field.key == key]
    return field


@pytest.mark.parametrize("name", ["default", "decred", "stake_chain", "stake_bft", "selfish_miner", "eclipse"])
def test_a_form_says_what_the_scenario_says(name: str) -> None:
    scenario = pot.load(name)
    fields = list_fields(scenario)
    assert len({field.key for field in fields}) == len(fields) > 40
    assert apply(scenario, {field.key: field.value for field in fields}).scenario == scenario
    assert sum(bool(field.help) for field in fields) > len(fields) / 2


def test_fields_know_what_they_may_hold() -> None:
    scenario = pot.load("default")
    assert find(scenario, "engine").choices == ("processes", "virtual")
    assert find(scenario, "output.journal").kind == "switch"
    assert find(scenario, "populations.honest.count").value == "8"
    assert find(scenario, "populations.honest.arithmetic").choices[0] == "null"


def test_keys_are_changed_together() -> None:
    edits = {
        "network.latency.kind": "regions",
        "network.latency.regions": "[a]",
        "network.latency.matrix_ms": "[[1.0]]",
    }
    applied = apply(pot.load("default"), edits)
    changed = applied.scenario
    assert changed is None or changed["network.latency.kind"] == "regions"
    assert changed is not None or applied.in_general or applied.at_keys


def test_each_sentence_stands_at_its_key() -> None:
    applied = apply(pot.load("default"), {"job.stages": "0", "populations.honest.count": "3", "seed": "yes"})
    assert applied.scenario is None
    assert set(applied.at_keys) == {"job.stages", "seed"}
    assert applied.at_keys["job.stages"] == "job.stages: write 1 or more, not 0"


def test_keys_that_contradict_each_other_are_told() -> None:
    applied = apply(pot.load("default"), {"protocol.confidence.count": "3", "protocol.confidence.stake_share": "0.6"})
    assert applied.scenario is None
    assert applied.in_general or applied.at_keys


@pytest.mark.parametrize("text", ["", "{", "[1,", "!!python/object:os.system", "\0", "a: b: c", "=", "&x *x"])
def test_no_text_does_more_than_be_refused(text: str) -> None:
    applied = apply(pot.load("default"), {"job.layers": text})
    assert applied.scenario is None
    assert applied.at_keys["job.layers"]


def test_no_form_names_code_to_run() -> None:
    assert not [field.key for field in list_fields(pot.load("default")) if "plugin" in field.key]


@pytest.mark.parametrize(("path", "is_inside"), [("/etc/passwd", False), ("../x.npz", False), ("data/x.npz", True)])
def test_data_files_lie_below_the_working_folder(path: str, is_inside: bool) -> None:
    applied = apply(pot.load("default"), {"dataset.path": path})
    assert (applied.scenario is not None) == is_inside
    assert is_inside or "outside of the working folder" in applied.at_keys["dataset.path"]
