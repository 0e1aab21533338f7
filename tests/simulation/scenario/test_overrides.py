from pathlib import Path
from typing import Any

import pytest

from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from simulation.scenario.scenario import Scenario
from tests.support.scenarios import complete, dig, dotted, save, shipped, walk

DEFAULT = CONFIGS / "default.yaml"


def get(scenario: Scenario, *path: str | int) -> Any:
    return dig(scenario.model_dump(mode="json"), path)


def refuse(setting: str, file: Path = DEFAULT) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file, (setting,))
    return str(caught.value)


def test_a_setting_replaces_what_the_file_says() -> None:
    scenario = shipped("prototype", "job.stages=3", "protocol.confidence.count=4", "name=mine")
    assert (scenario.name, scenario.job.stages, scenario.protocol.confidence.count) == ("mine", 3, 4)
    assert scenario.job.steps_per_stage == shipped("prototype").job.steps_per_stage


def test_a_setting_reaches_a_section_the_file_leaves_out() -> None:
    assert shipped("default", "protocol.rewards.proposer=0.4").protocol.rewards.proposer == 0.4
    assert shipped("default", "network.topology=ring").network.topology == "ring"


def test_the_rule_of_confidence_can_be_chosen_anew() -> None:
    assert shipped("default", "protocol.confidence.count=5").protocol.confidence.stake_share is None
    assert shipped("prototype", "protocol.confidence={stake_share: 0.4}").protocol.confidence.stake_share == 0.4


@pytest.mark.parametrize("item", ["0", "honest"])
def test_a_list_item_is_named_by_number_or_by_population(item: str) -> None:
    scenario = shipped("default", f"populations.{item}.count=5")
    assert [population.count for population in scenario.populations] == [5, 3]


def test_a_setting_reaches_below_a_list_item() -> None:
    poison = shipped("default", "populations.poisoners.poison.kind=label_noise").populations[1].poison
    assert poison is not None
    assert poison.kind == "label_noise"


def test_a_whole_list_item_can_be_replaced() -> None:
    scenario = shipped("default", "populations.1={name: quiet, role: silent, count: 2}")
    assert [population.name for population in scenario.populations] == ["honest", "quiet"]


def test_an_item_of_a_plain_list_is_named_by_number() -> None:
    assert shipped("default", "job.layers=[64, 32]", "job.layers.1=16").job.layers == [64, 16]


def test_later_settings_win_and_see_earlier_ones() -> None:
    scenario = shipped("default", "populations.honest.name=good", "populations.good.count=6", "seed=1", "seed=2")
    assert (scenario.populations[0].name, scenario.populations[0].count, scenario.seed) == ("good", 6, 2)


def test_the_seed_option_wins_over_file_and_setting() -> None:
    assert load_scenario(DEFAULT, ("seed=5",), seed=9).seed == 9


def test_a_value_is_read_as_yaml() -> None:
    scenario = shipped("default", "dataset.path=a=b.npz", "job.xla=true", 'description="a: b"')
    assert (scenario.dataset.path, scenario.job.xla, scenario.description) == (
        str(Path.cwd() / "a=b.npz"),
        True,
        "a: b",
    )


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("seeed=1", "seeed: unknown key; did you mean 'seed'?"),
        ("job.stagess=1", "job.stagess: unknown key; did you mean 'stages'?"),
        ("jobb.stages=1", "jobb: unknown key; did you mean 'job'?"),
        ("populations.honest.cuont=1", "populations.0.cuont: unknown key; did you mean 'count'?"),
        ("populations.honesty.count=1", "no item 'honesty'; write 0 to 1 or honest, poisoners"),
        ("populations.2.count=1", "no item '2'; write 0 to 1"),
        ("populations.-1.count=1", "no item '-1'"),
        ("populations.5={}", "no item '5'"),
        ("name.first=1", "has no keys below it"),
        ("name.first.second=1", "nothing below"),
        ("seed", "dotted.key=value"),
        ("=1", "dotted.key=value"),
        ("", "dotted.key=value"),
        ("seed=[", "not valid YAML"),
        ("seed={a: 1, a: 2}", "not valid YAML"),
        ("seed=", "seed"),
        ("seed=yes", "seed"),
        ("seed=1.5", "seed"),
        ("seed='3'", "seed"),
        ("populations.honest.count=-1", "populations.0.count"),
        ("populations.honest.role=silent", "no honest node"),
        ("populations=3", "populations"),
        ("populations=[]", "populations"),
        ("job=3", "job"),
        (".=1", "unknown key"),
        ("job..stages=1", "job."),
    ],
)
def test_a_setting_that_fits_nowhere_is_refused(setting: str, wanted: str) -> None:
    assert wanted in refuse(setting)


def test_every_key_can_be_set_by_its_dotted_path(tmp_path: Path, subtests: pytest.Subtests) -> None:
    file = save(tmp_path, complete())
    for path in (path for path, value in walk(complete()) if not isinstance(value, dict | list)):
        with subtests.test(dotted(path)):
            told = refuse(f"{dotted(path)}={{a: {{b: 1}}}}", file)
            assert told.startswith(f"--set {dotted(path)}={{a: {{b: 1}}}}: {dotted(path)}")
