import copy
from pathlib import Path
from typing import Any

import pytest

from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, find_scenario, list_shipped, load_scenario
from tests.support.scenarios import complete, dig, dotted, save, walk

FILES = list(list_shipped().values())
KEYS = [path for path, _ in walk(complete()) if isinstance(path[-1], str)]
LEAVES = [(path, value) for path, value in walk(complete()) if not isinstance(value, dict | list)]
NUMBERS = [(path, value) for path, value in LEAVES if type(value) in (int, float)]


def refuse(folder: Path, raw: object) -> str:
    """Load a scenario that must be refused and return what the user is told."""
    path = save(folder, raw)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def change(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    raw = complete()
    dig(raw, path[:-1])[path[-1]] = value
    return raw


def test_every_shipped_scenario_of_the_issue_is_there() -> None:
    wanted = {"default", "honest", "one_attacker", "backdoor", "majority_attack", "prototype", "many_nodes"}
    assert wanted <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_scenario_is_valid_and_named_like_its_file(file: Path) -> None:
    scenario = load_scenario(file)
    assert scenario.name == file.stem
    assert find_scenario(file.stem).resolve() == file.resolve()


def test_the_complete_scenario_of_these_tests_is_valid(tmp_path: Path) -> None:
    scenario = load_scenario(save(tmp_path, complete()))
    assert scenario.populations[1].poison is not None
    missing = {path for path, value in walk(scenario.model_dump(mode="json"))} - {path for path, _ in walk(complete())}
    assert {path for path in missing if path[:1] != ("populations",)} == set()


def test_every_misspelt_key_is_refused_with_its_path_and_a_suggestion(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for path in KEYS:
        with subtests.test(dotted(path)):
            raw = complete()
            section = dig(raw, path[:-1])
            wrong = f"{path[-1]}x"
            section[wrong] = section.pop(path[-1])
            told = refuse(tmp_path, raw)
            assert f"{dotted((*path[:-1], wrong))}: unknown key; did you mean {str(path[-1])!r}?" in told


@pytest.mark.parametrize("section", [(), ("job",), ("populations", 0), ("protocol", "rewards")], ids=dotted)
def test_a_key_like_no_other_is_refused_with_what_is_allowed(section: tuple[str | int, ...], tmp_path: Path) -> None:
    raw = complete()
    allowed = [key for key in dig(raw, section) if key != "poison"]
    dig(raw, section)["qqq"] = 1
    told = refuse(tmp_path, raw)
    assert f"{dotted((*section, 'qqq'))}: unknown key" in told
    assert all(key in told for key in allowed)


@pytest.mark.parametrize("wrong", [[["a"]], {"a": 1}], ids=["list", "mapping"])
def test_every_key_refuses_a_list_or_mapping_where_a_value_belongs(
    wrong: object, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for path, _ in LEAVES:
        with subtests.test(dotted(path)):
            assert dotted(path) in refuse(tmp_path, change(path, wrong))


@pytest.mark.many_runs
def test_every_number_refuses_yes_and_quoted_text(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for path, value in NUMBERS:
        wrongs = [True, "3", float("nan"), *([1.5] if isinstance(value, int) else [])]
        for wrong in wrongs:
            with subtests.test(dotted(path), wrong=wrong):
                assert dotted(path) in refuse(tmp_path, change(path, wrong))


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        (("populations", 0, "count"), -1, "write 0 or more"),
        (("protocol", "stakeholders"), 0, "write 1 or more"),
        (("job", "stages"), 0, "write 1 or more"),
        (("job", "layers"), [128, 0], "write 1 or more"),
        (("populations", 1, "poison", "share"), 1.1, "write 1 or less"),
        (("populations", 1, "poison", "share"), -0.1, "write 0 or more"),
        (("populations", 1, "poison", "share"), 0.0, "0 alters nothing"),
        (("network", "rewiring"), 2.0, "write 1 or less"),
        (("protocol", "rewards", "proposer"), 1.5, "write 1 or less"),
        (("protocol", "rewards", "proposer"), 0.5, "must be 1"),
        (("populations", 0, "role"), "hones", "'honest'"),
        (("populations", 0, "name"), "poisoners", "'poisoners' stands twice"),
        (("populations", 0, "name"), "Nodes 1", "lower-case letters"),
        (("populations", 0, "name"), "employer", "taken"),
        (("populations", 0, "role"), "silent", "no honest node"),
        (("populations", 0, "stake"), -1.0, "write 0 or more"),
        (("populations",), [], "write 1 or more items"),
        (("protocol", "confidence"), {"count": 12}, "can never be reached by 11"),
        (("protocol", "confidence"), {"stake_share": 1.0}, "write 0.999999 or less"),
        (("protocol", "confidence"), {"stake_share": 0.5, "count": 2}, "one rule, count or stake_share"),
        (("protocol", "confidence"), {}, "one rule, count or stake_share"),
        (("protocol", "stakeholders"), 12, "cannot be drawn from 11"),
        (("protocol", "without"), ["own_secrets"] * 2, "protocol.without: write each repair once; own_secrets stands"),
        (("users", "count"), 1, "at least 2 users"),
        (("network", "degree"), 1, "write 2 or more"),
        (("dataset", "name"), "cifar", "did you mean 'cifar10'"),
        (("dataset", "name"), "pictures", "there are mnist, fashion_mnist, cifar10, digits, npz"),
        (("seed",), 2**62, "write less than"),
        (("name",), "../escape", "lower-case letters"),
        (("run", "time_limit_s"), 0.0, "write more than 0"),
        (("run", "time_limit_s"), float("inf"), "write 100000000 or less"),
    ],
    ids=lambda item: dotted(item) if isinstance(item, tuple) else str(item)[:24],
)
def test_an_impossible_value_is_refused_with_its_path_and_what_is_allowed(
    path: tuple[str | int, ...], value: object, wanted: str, tmp_path: Path
) -> None:
    told = refuse(tmp_path, change(path, value))
    assert wanted in told
    assert str(path[0]) in told


def test_confidence_counts_only_nodes_that_own_a_bond(tmp_path: Path) -> None:
    raw = change(("populations", 1, "stake"), 0.0)
    raw["protocol"]["confidence"] = {"count": 8}
    load_scenario(save(tmp_path, raw))
    raw["protocol"]["confidence"] = {"count": 9}
    assert "can never be reached by 8" in refuse(tmp_path, raw)


def test_a_share_that_rounds_to_all_stake_can_never_be_exceeded(tmp_path: Path) -> None:
    assert "protocol.confidence" in refuse(tmp_path, change(("protocol", "confidence"), {"stake_share": 0.9999999}))


def test_a_bond_below_a_micro_coin_is_no_bond(tmp_path: Path) -> None:
    raw = complete()
    for population in raw["populations"]:
        population["stake"] = 1e-7
    assert "stake" in refuse(tmp_path, raw)


@pytest.mark.parametrize(
    ("poison", "wanted"),
    [
        ({"kind": "targeted_flip", "source": 1}, "takes source and target"),
        ({"kind": "targeted_flip", "source": 1, "target": 1}, "must differ"),
        ({"kind": "backdoor"}, "takes target"),
        ({"kind": "backdoor", "target": 10}, "write 9 or less"),
        ({"kind": "label_noise", "target": 1}, "takes neither source nor target"),
    ],
)
def test_a_poison_takes_exactly_the_classes_it_aims_at(poison: object, wanted: str, tmp_path: Path) -> None:
    told = refuse(tmp_path, change(("populations", 1, "poison"), poison))
    assert wanted in told
    assert "populations.1.poison" in told


@pytest.mark.parametrize("extra", [{"poison": {"kind": "label_noise"}}, {"colluding": False}])
def test_only_data_injection_takes_a_poison(extra: dict[str, object], tmp_path: Path) -> None:
    raw = complete()
    raw["populations"][0].update(extra)
    told = refuse(tmp_path, raw)
    assert "populations.0" in told
    assert "data_injection" in told


@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        ({"topology": "random_regular", "degree": 11}, "more than 11 nodes"),
        ({"topology": "random_regular", "degree": 3}, "half a link"),
        ({"topology": "small_world", "degree": 12}, "more than 11 nodes"),
        ({"topology": "small_world", "degree": 5}, "even number of links"),
    ],
)
def test_a_graph_that_cannot_be_drawn_is_refused(network: object, wanted: str, tmp_path: Path) -> None:
    assert wanted in refuse(tmp_path, change(("network",), network))


def test_more_links_than_a_process_can_be_handed_are_refused(tmp_path: Path) -> None:
    raw = change(("populations", 0, "count"), 250)
    assert "at most 240 links" in refuse(tmp_path, raw)
    raw["network"] = {"topology": "ring"}
    load_scenario(save(tmp_path, raw))


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ("name: a\npopulations: [\n", 3, ""),
        ("name: a\n  seed: 1\n", 2, ""),
        ("name: a\nseed: 1\nseed: 2\n", 3, "'seed' stands twice"),
        ("name: a\njob:\n  xla: true\n  xla: true\n", 4, "'xla' stands twice"),
        ("name: a\n1: b\n", 2, "1 is not text"),
        ("name: a\nyes: b\n", 2, "True is not text"),
        ("name: !!python/object/apply:os.getcwd []\n", 1, ""),
        ("name: a\n\tseed: 1\n", 2, ""),
        ("name: *nobody\n", 1, "nobody"),
    ],
)
def test_yaml_that_cannot_be_read_is_refused_with_its_line(text: str, line: int, wanted: str, tmp_path: Path) -> None:
    told = refuse(tmp_path, text)
    assert f"scenario.yaml:{line}:" in told
    assert wanted in told


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "null\n", "3\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    assert "write name, description and populations there" in refuse(tmp_path, text)


@pytest.mark.parametrize("text", ["[" * 5000, "populations: &a [*a]\n", "job: &a\n  rewards: *a\n"])
def test_yaml_without_end_is_refused(text: str, tmp_path: Path) -> None:
    refuse(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(ScenarioError, match=r"scenario\.yaml: cannot be read"):
        load_scenario(path)


def test_a_missing_key_without_a_default_is_named(tmp_path: Path) -> None:
    raw = complete()
    del raw["populations"][0]["role"]
    assert "populations.0.role: missing" in refuse(tmp_path, raw)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    raw = complete()
    raw["seed"], raw["users"]["count"] = "a", -1
    told = refuse(tmp_path, raw).splitlines()
    assert len(told) == 2


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("defualt", "did you mean 'default'?"),
        ("majority-attack", "did you mean 'majority_attack'?"),
        ("zzz", "one of backdoor, cnn, decred, default"),
        ("nowhere/zzz.yaml", "no such file"),
        ("zzz.yml", "no such file"),
    ],
)
def test_a_scenario_that_is_not_there_is_refused(name: str, wanted: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        find_scenario(name)
    assert name in str(caught.value)
    assert wanted in str(caught.value)


def test_a_folder_of_the_same_name_does_not_hide_a_shipped_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_scenario("default").resolve() == CONFIGS.resolve() / "default.yaml"


def test_reading_leaves_the_given_values_alone(tmp_path: Path) -> None:
    raw = complete()
    scenario = load_scenario(save(tmp_path, raw), seed=5)
    wanted = copy.deepcopy(raw) | {"seed": 5}
    wanted["dataset"]["path"] = str(tmp_path / raw["dataset"]["path"])
    found = scenario.model_dump(mode="json")
    assert all(dig(found, path) == value for path, value in walk(wanted) if not isinstance(value, dict | list))
