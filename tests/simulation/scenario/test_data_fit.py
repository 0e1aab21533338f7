"""The keys of a model, and what of a scenario has to fit the form of its data."""

from typing import Any

import pytest

from simulation.scenario.data_fit import check_fit
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, build_scenario, load_scenario
from simulation.scenario.scenario import Scenario
from simulation.training.data_sets.data_form import MNIST_FORM, DataForm
from tests.support.scenarios import shipped

OWN = ("dataset={name: npz, path: mine.npz}", "populations.poisoners.poison={kind: backdoor, target: 0}")


def own(*settings: str) -> Scenario:
    """Return a scenario on data whose form nobody knows yet."""
    return shipped("default", *OWN, *settings)


def refuse(*settings: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(CONFIGS / "default.yaml", settings)
    return str(caught.value)


# ---- keys ----


def test_a_mere_name_is_short_for_a_model_with_its_defaults() -> None:
    short, written = shipped("default", "job.model=cnn"), shipped("default", "job.model={name: cnn, kernel: 3}")
    assert short == written
    assert short.job.model.model_dump() == {
        "name": "cnn",
        "filters": [16, 32],
        "kernel": 3,
        "layers": [64],
        "activation": "relu",
    }


@pytest.mark.parametrize("model", ["cnn", "logistic"])
def test_a_resolved_scenario_says_the_keys_of_its_model_and_no_others(model: str) -> None:
    scenario = shipped("default", f"job.model={model}")
    dumped = scenario.model_dump(mode="json")["job"]
    assert {"layers", "activation"} & set(dumped) == set()
    assert build_scenario("again", scenario.model_dump(mode="json")) == scenario
    assert f"name: {model}" in scenario.to_yaml()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["job.model=cn"], "job.model: no model is called 'cn'; did you mean 'cnn'?"),
        (
            ["job.model={name: perceptron}"],
            "job.model.name: no model is called 'perceptron'; there are dense, cnn, log",
        ),
        (["job.model={name: 3}"], "job.model.name: no model is called 3; there are dense, cnn, logistic"),
        (["job.model=[cnn]"], "job.model: write the name of a model, or keys that begin with name, not a list"),
        (["job.model={name: cnn, filter: [3]}"], "job.model.filter: unknown key; did you mean 'filters'?"),
        (["job.model={name: logistic, kernel: 3}"], "job.model.kernel: unknown key; allowed here: name"),
        (
            ["job.model={layers: [3]}"],
            "job.model.layers: unknown key; allowed here: name; dense has its own, layers and",
        ),
        (["job.model={name: cnn, filters: []}"], "job.model.filters: write 1 or more items, not 0"),
        (["job.model={name: cnn, filters: [0]}"], "job.model.filters.0: write 1 or more, not 0"),
        (
            ["job.model={name: cnn, activation: step}"],
            "job.model.activation: write 'relu', 'tanh', 'sigmoid', 'elu' or",
        ),
        (
            ["job.model=logistic", "job.layers=[3]"],
            "job.layers: belongs to model: dense, not to logistic; leave it out",
        ),
        (
            ["job.model=cnn", "job.activation=relu"],
            "leave it out; it has filters, kernel, layers, activation below job.",
        ),
        (["job.model=cnn", "job.arithmetic=canonical"], "job.arithmetic: canonical cannot train cnn; write native"),
        (["dataset.name=npz"], "dataset.path: npz is a file of yours; write where it is"),
    ],
)
def test_a_wrong_key_is_refused_with_what_to_write(settings: list[str], told: str) -> None:
    assert told in refuse(*settings)


# ---- data ----


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ["job.model={name: cnn, filters: [2, 2, 2, 2, 2]}"],
            "job.model: each of the 5 convolutions halves an image, ",
        ),
        (["job.model={name: cnn, layers: [999999]}"], "job.model: write a smaller one: this has 1,5"),
        (["populations.poisoners.poison={kind: backdoor, target: 10}"], "poison.target: write 9 or less, not 10"),
        (
            ["job.model=cnn", "populations.honest.arithmetic=canonical"],
            "populations.0.arithmetic: canonical cannot train",
        ),
        (["dataset.name=cifar10", "job.batch_size=10000", "job.steps_per_stage=300"], "takes about 9 GB in each node"),
    ],
)
def test_what_does_not_fit_data_that_are_known_is_refused_at_once(settings: list[str], told: str) -> None:
    virtual = ["engine=virtual"] if "arithmetic" in settings[-1] else []
    assert told in refuse(*virtual, *settings)


FLOATING = DataForm((60,), 3, 4)


@pytest.mark.parametrize(
    ("settings", "form", "told"),
    [
        (
            ["job.model=cnn"],
            FLOATING,
            "job.model: cnn wants images, and a sample is 60 numbers in a row; write dense or",
        ),
        (["job.model=cnn"], DataForm((3, 9), 2), "nothing is left of 3x9; write at most 1 filters"),
        (["job.model=cnn"], DataForm((1, 9), 2), "nothing is left of 1x9; write dense or logistic"),
        (
            ["job.layers=[120000]"],
            DataForm((3000,), 2),
            "job.layers: write fewer or smaller layers: these have 360,",
        ),
        (
            ["job.batch_size=20000"],
            DataForm((600,), 3, 4),
            "job.batch_size: write a smaller one or fewer steps_per_sta",
        ),
        (
            ["populations.poisoners.poison.target=3"],
            FLOATING,
            "populations.1.poison.target: write 2 or less, not 3 (mine",
        ),
    ],
)
def test_what_does_not_fit_data_of_ones_own_is_refused_when_they_are_loaded(
    settings: list[str], form: DataForm, told: str
) -> None:
    scenario = own(*settings)
    with pytest.raises(ScenarioError) as caught:
        check_fit(scenario, form, "mine")
    assert told in str(caught.value)
    assert str(caught.value).endswith(f"(mine: {form.describe()})")


@pytest.mark.parametrize("settings", [[], ["job.model=logistic"], ["populations.poisoners.poison.target=2"]], ids=str)
def test_what_fits_is_left_alone(settings: list[str]) -> None:
    for form in (FLOATING, MNIST_FORM):
        check_fit(own(*settings), form, "mine")


def test_made_up_training_has_no_form_to_fit() -> None:
    made_up = ("engine=virtual", "virtual.trainer=fake", "populations.poisoners.poison.target=200")
    check_fit(own(*made_up), FLOATING, "mine")


def test_poisons_of_corrupted_nodes_have_to_fit_too() -> None:
    raw: dict[str, Any] = own().model_dump(mode="json")
    poison = {"kind": "targeted_flip", "share": 0.1, "source": 1, "target": 7}
    raw["corruptions"] = [{"name": "turned", "role": "data_injection", "of": ["honest"], "count": 1, "poison": poison}]
    with pytest.raises(ScenarioError, match=r"corruptions\.0\.poison\.target: write 2 or less, not 7"):
        check_fit(build_scenario("made up", raw), FLOATING, "mine")
