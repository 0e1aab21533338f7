from pathlib import Path

import numpy as np
import pytest

import simulation as pot
from simulation.commands.cli import main


def load() -> pot.Scenario:
    return pot.load("stake_bft", engine="virtual")


def test_a_change_gives_another_scenario_and_leaves_the_first_alone() -> None:
    before = load()
    after = before.change({"populations.honest.count": 3}, "mechanism.length=4", seed=9)
    assert (after["populations.honest.count"], after["mechanism.length"], after.seed) == (3, 4, 9)
    assert (before["populations.honest.count"], before["mechanism.length"]) == (6, 20)
    assert before == load() != after


def test_a_changed_scenario_may_have_another_mechanism_than_its_file() -> None:
    honest = [{"name": "honest", "role": "honest", "count": 4}]
    changed = pot.load("default").change({"mechanism": {"name": "proof_of_work", "length": 3}, "populations": honest})
    assert changed.mechanism == "proof_of_work"


def test_values_of_numpy_and_tuples_are_values_of_yaml() -> None:
    changed = load().change({"populations.honest.count": np.int64(4), "network.latency.ms": np.float64(2.5)})
    assert (changed["populations.honest.count"], changed["network.latency.ms"]) == (4, 2.5)
    edges = (("rich-0", "honest-0"), ("honest-0", "honest-1"), ("honest-1", "honest-2"))
    keys = {"populations.honest.count": 3, "network.topology": "edges", "network.edges": edges}
    assert load().change(keys)["network.edges"] == [list(edge) for edge in edges]


def test_what_is_written_is_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(load().change(seed=3).to_yaml(), "utf-8")
    assert pot.load(file) == load().change(seed=3) == pot.load(load().to_dict(), seed=3)


@pytest.mark.parametrize("key", ["mechanism.lengths", "populations.nobody.count", "populations.7", "name.first", ""])
def test_a_key_that_is_not_there_is_no_value(key: str) -> None:
    with pytest.raises(KeyError, match="no key of the scenario stake_bft"):
        load()[key]


@pytest.mark.parametrize("setting", ["populations.honest.cuont=3", "seed=yes", "mechanism.length=0", "seed"])
def test_an_error_is_the_sentence_that_the_command_prints(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(pot.ScenarioError) as caught:
        pot.load("stake_bft", setting)
    assert main(["run", "stake_bft", "--set", setting]) == caught.value.exit_code == 2
    assert capsys.readouterr().err == f"{caught.value}\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"mechanism.length": "many"},
            "change mechanism.length=many: mechanism.length: write a whole number, not 'many'",
        ),
        ({"populations.honest.count": object()}, "populations.1.count: write a whole number"),
        ({"nonsense": {"a": 1}}, "nonsense: unknown key"),
    ],
)
def test_an_error_names_the_change(changes: dict[str, object], said: str) -> None:
    with pytest.raises(pot.ScenarioError) as caught:
        load().change(changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_is_judged_as_a_file_is() -> None:
    with pytest.raises(pot.ScenarioError, match=r"^scenario: description: missing; this key has no default"):
        pot.load({"name": "mine", "populations": [{"name": "honest", "role": "honest", "count": 3}]})
