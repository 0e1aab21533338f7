from pathlib import Path
from typing import Any

import pytest

from simulation import constants
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, list_shipped, load_scenario
from simulation.scenario.populations import Poison
from simulation.scenario.scenario import Scenario
from tests.support.scenarios import complete, dotted, save, shipped, walk

OTHERS: dict[str, Any] = {
    "SEED": 43,
    "ENGINE": None,
    "DATASET": "digits",
    "HIDDEN_LAYERS": (64, 32),
    "ACTIVATION": "tanh",
    "OPTIMIZER": "sgd",
    "CONFIDENCE_RULE": "count",
    "POISON_KIND": "mirrored_labels",
    "TOPOLOGY": "ring",
    "LATENCY_KIND": "lognormal",
    "OUTAGE_DISK": "lost",
    "TRAINER": "fake",
    "RECORDS": "essential",
    "REWARD_PROPOSER": 0.41,
    "REWARD_DECLARERS": 0.31,
    "REWARD_STAKEHOLDERS": 0.31,
    "RULES": 1,
    "MODEL": "logistic",
}
"""Another value of each constant whose value is not simply a number or a truth value."""

DENSE_KEYS = (("layers",), ("activation",))
"""Keys of a job with a dense network alone; what lies below them too."""

CONSTANTS = [name for name in vars(constants) if name.isupper()]


OF_NO_KEY = ("ENGINE", "MECHANISM", "WATTS_PER_CORE")
"""Constants that have a test of their own: a changed name is refused, and energy is told and no part of a run."""


def change(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 0.5 if value else 0.25
    if value is None:
        return 1.5
    return f"{value}x" if isinstance(value, str) else value


VIRTUAL = ("engine=virtual", "network.outages=[{node: honest-0, down_s: 1.0, up_s: 2.0}]")
"""Settings under which constants that only the virtual engine reads have a place."""


def resolve(*settings: str) -> str:
    return load_scenario(CONFIGS / "default.yaml", settings).to_yaml()


@pytest.mark.parametrize(
    "name",
    [name for name in CONSTANTS if name not in OF_NO_KEY and not name.startswith("REWARD")],
)
def test_a_changed_constant_changes_the_resolved_default_scenario(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "CONFIDENCE_COUNT":  # counts under the other rule only
        monkeypatch.setattr(constants, "CONFIDENCE_RULE", "count")
    if name == "DECLARATIONS_PER_SLOT":  # counts under the other version only
        monkeypatch.setattr(constants, "RULES", 1)
    settings = VIRTUAL if name in ("OUTAGE_DISK", "RECORDS", "TRAINER") else ()
    before = resolve(*settings)
    monkeypatch.setattr(constants, name, OTHERS.get(name, change(getattr(constants, name))))
    assert resolve(*settings) != before


@pytest.mark.parametrize("name", ["REWARD_PROPOSER", "REWARD_DECLARERS", "REWARD_STAKEHOLDERS"])
def test_a_changed_reward_changes_the_resolved_default_scenario(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = resolve()
    paid = "REWARD_PROPOSER" if name != "REWARD_PROPOSER" else "REWARD_DECLARERS"
    monkeypatch.setattr(constants, name, getattr(constants, name) + 0.125)
    monkeypatch.setattr(constants, paid, getattr(constants, paid) - 0.125)
    assert resolve() != before


def test_a_changed_mechanism_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "MECHANISM", "proof_of_patience")
    with pytest.raises(ScenarioError, match="no mechanism is called 'proof_of_patience'"):
        resolve()


def test_an_engine_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {**shipped("default").model_dump(mode="json"), "engine": "steam"}
    with pytest.raises(ValueError, match="engine"):
        Scenario.model_validate(raw)


def test_every_constant_has_a_comment_that_says_what_it_is() -> None:
    lines = Path(constants.__file__).read_text("utf-8").splitlines()
    for name in CONSTANTS:
        number = next(index for index, line in enumerate(lines) if line.startswith(f"{name}:"))
        assert lines[number + 1].startswith('"""'), name


@pytest.mark.parametrize("file", list_shipped().values(), ids=lambda file: file.stem)
def test_a_resolved_scenario_says_every_key_and_reads_back_equal(file: Path, tmp_path: Path) -> None:
    scenario = load_scenario(file)
    again = load_scenario(save(tmp_path, scenario.to_yaml()))
    assert again == scenario
    assert again.to_yaml() == scenario.to_yaml()
    assert again.compute_fingerprint("1") == scenario.compute_fingerprint("1")
    said = {path for path, _ in walk(scenario.model_dump(mode="json"))}
    wanted = {path for path, _ in walk(complete()) if path[0] != "populations"}
    foreign = set() if scenario.job.model.name == "dense" else {path for path in wanted if path[1:2] in DENSE_KEYS}
    assert wanted - foreign <= said


def test_a_resolved_scenario_does_not_follow_the_constants_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save(tmp_path, shipped("default").to_yaml())
    before = load_scenario(file)
    for name in CONSTANTS:
        monkeypatch.setattr(constants, name, OTHERS.get(name, change(getattr(constants, name))))
    monkeypatch.setattr(constants, "ENGINE", "processes")
    later = load_scenario(file)
    assert later.to_yaml() == before.to_yaml()
    assert later == before


def test_the_fingerprint_changes_with_every_key(tmp_path: Path, subtests: pytest.Subtests) -> None:
    scenario = load_scenario(save(tmp_path, complete()))
    others = {"confidence.count": 3, "0.poison": Poison(), "0.coalition": "allies", "1.coalition": "allies"}
    for path, value in walk(complete()):
        if isinstance(value, dict | list):
            continue
        with subtests.test(dotted(path)):
            changed = _replace(scenario, path, others.get(dotted(path[-2:]), change(value)))
            assert changed != scenario
            assert changed.compute_fingerprint("1") != scenario.compute_fingerprint("1")


def _replace(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """Return a copy of nested models with one thing exchanged, unchecked."""
    if not path:
        return new
    head, *rest = path
    if isinstance(head, int):
        return [_replace(item, tuple(rest), new) if index == head else item for index, item in enumerate(value)]
    return value.model_copy(update={head: _replace(getattr(value, head), tuple(rest), new)})


def test_the_fingerprint_changes_with_the_code_and_with_the_order_of_populations() -> None:
    scenario = shipped("default")
    turned = scenario.model_copy(update={"populations": scenario.populations[::-1]})
    prints = {scenario.compute_fingerprint("1"), scenario.compute_fingerprint("2"), turned.compute_fingerprint("1")}
    assert len(prints) == 3
    assert all(len(item) == 12 and int(item, 16) >= 0 for item in prints)


def test_the_fingerprint_does_not_depend_on_how_the_scenario_was_written(tmp_path: Path) -> None:
    short = shipped("default")
    long = load_scenario(save(tmp_path, short.model_dump(mode="json")))
    by_setting = shipped("default", "seed=42", "populations.honest.stake=1000")
    assert len({item.compute_fingerprint("1") for item in (short, long, by_setting)}) == 1
