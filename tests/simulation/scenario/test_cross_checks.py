"""Scenarios whose sections are fine one by one and do not fit together, and sizes that no machine has."""

from pathlib import Path
from typing import Any

import pytest

from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.commands.cli import main
from simulation.scenario.errors import SHOWN_CHARACTERS, ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from tests.support.scenarios import complete, save, shipped

TIMES = {"start_s": 1.0, "heal_s": 2.0}


def refuse(folder: Path, **sections: Any) -> str:
    """Load the complete scenario with some sections' keys exchanged; return what the user is told."""
    raw = complete()
    for name, section in sections.items():
        raw[name] = {**raw[name], **section} if isinstance(section, dict) else section
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save(folder, raw))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value).removeprefix(f"{folder / 'scenario.yaml'}: ")


def partition(*groups: list[str]) -> dict[str, Any]:
    return {"partitions": [{**TIMES, "groups": list(groups)}]}


def eclipse(victims: list[str], by: list[str]) -> dict[str, Any]:
    return {"eclipses": [{**TIMES, "victims": victims, "by": by}]}


def regions(*names: list[str]) -> dict[str, Any]:
    matrix = [[1.0] * len(names)] * len(names)
    return {"latency": {"kind": "regions", "regions": list(names), "matrix_ms": matrix}}


def edges(*pairs: list[str]) -> dict[str, Any]:
    return {"topology": "edges", "edges": list(pairs)}


NETWORKS: list[tuple[dict[str, Any], str]] = [
    (partition(["honest-0"], ["honest-0"]), "network.partitions.0.groups: 'honest-0' stands in two groups"),
    (partition(["honest"], ["honest-3", "users"]), "network.partitions.0.groups: 'honest-3' stands in two groups"),
    (partition(["users"], ["poisoners"], ["users"]), "network.partitions.0.groups: 'users' stands in two groups"),
    (partition([], ["honest"]), "network.partitions.0.groups.0: write 1 or more items, not 0"),
    (partition(["honest"]), "network.partitions.0.groups: write 2 or more items, not 1"),
    (partition(["honest"], ["nobody"]), "network.partitions.0.groups: no party is called 'nobody'; write honest, "),
    (eclipse(["honest-0"], ["honest"]), "network.eclipses.0.by: 'honest-0' is one of the victims too"),
    (eclipse(["employer"], ["employer"]), "network.eclipses.0.by: 'employer' is one of the victims too"),
    (eclipse([], ["honest"]), "network.eclipses.0.victims: write 1 or more items, not 0"),
    (eclipse(["nobody"], ["honest"]), "network.eclipses.0.victims: no party is called 'nobody'"),
    (regions(["honest"], ["poisoners", "honest-7"]), "network.latency.regions: 'honest-7' stands in two regions"),
    (regions(["honest"], []), "network.latency.regions.1: write 1 or more items, not 0"),
    (edges(["honest-0", "honest-0"]), "network.edges.0: 'honest-0' cannot be linked to itself"),
    (
        edges(["honest-0", "honest-1"], ["honest-1", "honest-0"]),
        "network.edges.1: the same link as network.edges.0; leave one of them out",
    ),
    (edges(["honest-0", "honest-1"]), "network.edges: no row of links leads from 'honest-0' to 'honest-2'"),
    (edges(["honest-0"]), "network.edges.0: write 2 or more items, not 1"),
    (edges(), "network.topology: edges needs network.edges: pairs of nodes, such as [honest-0, honest-1]"),
    ({"edges": [["honest-0", "honest-1"]]}, "network.edges: belongs to topology: edges"),
]


@pytest.mark.parametrize(("network", "wanted"), NETWORKS, ids=lambda item: item[:60] if isinstance(item, str) else "")
def test_a_network_that_contradicts_itself_is_refused(network: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    assert refuse(tmp_path, network=network).startswith(wanted)


def test_edges_that_join_everybody_are_fine() -> None:
    labels = [*(f"honest-{index}" for index in range(8)), *(f"poisoners-{index}" for index in range(3))]
    star = [[labels[0], other] for other in labels[1:]]
    assert shipped("default", "network.topology=edges", f"network.edges={star}").network.edges == star


def test_the_same_party_twice_in_one_group_is_no_contradiction() -> None:
    shipped("default", "network.partitions=[{start_s: 1, heal_s: 2, groups: [[honest, honest-0], [poisoners]]}]")


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("a", "a-1", "populations.1.name: 'a-1' is already the label of a node of 'a'"),
        ("a-1", "a", "populations.0.name: 'a-1' is already the label of a node of 'a'"),
        ("user-9", "a", "populations.0.name: 'user-9' is already the label of a user"),
        ("user", "a", "populations.0.name: the name 'user' is taken"),
    ],
)
def test_a_population_may_not_be_named_like_another_party(first: str, second: str, wanted: str, tmp_path: Path) -> None:
    named = [{"name": name, "role": "honest", "count": 4} for name in (first, second)]
    assert refuse(tmp_path, populations=named).startswith(wanted)


@pytest.mark.parametrize("other", ["a-4", "a-01", "a-x", "a-1-0", "user-10"])
def test_a_name_that_only_looks_like_a_label_is_fine(other: str) -> None:
    scenario = shipped("default", "populations.honest.name=a", "populations.a.count=4", f"populations.1.name={other}")
    assert len(set(scenario.list_labels()) | {"a", other}) == scenario.node_count + 2


def adversaries(**more: Any) -> list[dict[str, Any]]:
    turned = {"name": "bad", "role": "adversary", "count": 1, "behaviours": ["silent"], **more}
    return [{"name": "good", "role": "honest", "count": 4}, turned]


@pytest.mark.parametrize(
    ("behaviours", "wanted"),
    [
        (["silent", "silent"], "behaviours.1: silent is behaviours.0 already; leave one of them out"),
        (["forger", "flooder", {"kind": "flooder", "rate": 3}], "behaviours.2: flooder is behaviours.1 already"),
        ([{"kind": "withholder", "what": "header"}] * 2, "behaviours.1: withholder is behaviours.0 already"),
        ([3], "behaviours.0: write a behaviour's name, such as silent, or keys that begin with kind, not 3"),
        ([None], "behaviours.0: write a behaviour's name, such as silent, or keys that begin with kind, not nothing"),
    ],
)
def test_behaviours_that_cannot_be_are_refused(behaviours: list[object], wanted: str, tmp_path: Path) -> None:
    told = refuse(tmp_path, populations=adversaries(behaviours=behaviours))
    assert told.startswith(f"populations.1.{wanted}")


@pytest.mark.parametrize("name", ["good", "good-3"])
def test_a_coalition_is_not_named_like_honest_nodes(name: str, tmp_path: Path) -> None:
    wanted = "coalition: 'good' is honest and in no coalition; write another name, or that of a population of attackers"
    assert refuse(tmp_path, populations=adversaries(coalition=name)).startswith(f"populations.1.{wanted}")
    turned = {"name": "turned", "role": "adversary", "behaviours": ["silent"], "of": ["good"], "count": 1}
    told = refuse(tmp_path, populations=adversaries(), corruptions=[{**turned, "coalition": name}])
    assert told.startswith(f"corruptions.0.{wanted}")


def test_a_coalition_may_be_named_like_attackers_or_a_label_that_nobody_has(tmp_path: Path) -> None:
    for name in ("bad", "good-4", "plot"):
        load_scenario(save(tmp_path, {**complete(), "populations": adversaries(coalition=name)}))


def outage(node: str, down_s: float, up_s: float | None) -> dict[str, Any]:
    return {"node": node, "down_s": down_s, "up_s": up_s}


@pytest.mark.parametrize(
    ("outages", "wanted"),
    [
        (
            [outage("honest-0", 4, 6), outage("honest-0", 1, 5)],
            "network.outages.0.down_s: 'honest-0' is down from 1 s until 5 s already (network.outages.1)",
        ),
        (
            [outage("honest-0", 1, None), outage("honest-1", 1, 2), outage("honest-0", 9, 10)],
            "network.outages.2.down_s: 'honest-0' is down from 1 s for good already (network.outages.0)",
        ),
        (
            [outage("honest-0", 1, 5), outage("honest-0", 5, 6)],
            "network.outages.1.down_s: 'honest-0' is down from 1 s until 5 s already",
        ),
    ],
)
def test_outages_of_a_node_that_is_down_already_are_refused(
    outages: list[dict[str, Any]], wanted: str, tmp_path: Path
) -> None:
    assert refuse(tmp_path, engine="virtual", network={"outages": outages}).startswith(wanted)


def test_outages_one_after_another_and_of_several_nodes_are_fine(tmp_path: Path) -> None:
    outages = [outage("honest-0", 5.5, None), outage("honest-0", 1, 5), outage("honest-1", 2, 6)]
    raw = {**complete(), "engine": "virtual"}
    load_scenario(save(tmp_path, {**raw, "network": {**raw["network"], "outages": outages}}))


# ---- sizes ----


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        (
            {"job": {"layers": [10**6, 10**6]}},
            "job.layers: write fewer or smaller layers: these have at least 1,000,001,000,000",
        ),
        (
            {"job": {"layers": [125_800]}},
            "job.layers: write fewer or smaller layers: these have 100,011,010 parameters",
        ),
        ({"job": {"layers": [1] * 101}}, "job.layers: write 100 or fewer items, not 101"),
        ({"job": {"layers": [10**30]}}, "job.layers.0: write 100000000 or less"),
        ({"job": {"batch_size": 10**5, "steps_per_stage": 10**5}}, "job.batch_size: write a smaller one or fewer"),
        (
            {"engine": "virtual", "populations": [{"name": "a", "role": "honest", "count": 5000}]},
            "protocol.confidence.stake_share: a header would need",
        ),
        (
            {
                "engine": "virtual",
                "populations": [{"name": "a", "role": "honest", "count": 5000}],
                "protocol": {"confidence": {"count": 3}},
            },
            "network.topology: 5,000 nodes of 4,999 links each are 12,497,500 links, more than memory holds",
        ),
    ],
    ids=lambda item: item[:50] if isinstance(item, str) else "",
)
def test_what_no_memory_holds_is_refused(sections: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    assert refuse(tmp_path, **sections).startswith(wanted)


def test_a_network_of_just_under_100_million_parameters_is_fine() -> None:
    assert shipped("default", "job.layers=[125700]").job.layers == [125_700]


# ---- text ----


def test_a_description_of_several_lines_becomes_one() -> None:
    raw = {**complete(), "description": "two\n  lines\n"}
    assert Scenario.model_validate(raw).description == "two lines"


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("description", " \n ", "description: write 1 or more characters"),
        ("description", "x" * 401, "description: write 400 or fewer characters"),
        ("description", "red \x1b[31m", "description: write printable text, without control characters"),
        ("description", 5, "description: write text"),
        ("name", "x" * 300, "name: write 1 to 40 lower-case letters"),
        (
            "dataset",
            {"path": "x" * 300},
            "dataset.path: a file name has at most 255 bytes, and one in this path has 300",
        ),
        ("dataset", {"path": "a\0b"}, "dataset.path: write printable text"),
        ("dataset", {"path": ""}, "dataset.path: write 1 or more characters"),
    ],
    ids=lambda item: str(item)[:24],
)
def test_text_that_cannot_be_shown_or_be_a_file_is_refused(key: str, value: Any, wanted: str, tmp_path: Path) -> None:
    assert refuse(tmp_path, **{key: value}).startswith(wanted)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"job": 3}, "job: write keys below it (model, layers, activation, "),
        ({"job": None}, "job: write keys below it (model, layers, activation, "),
        ({"populations": {"honest": 3}}, "populations: write a list"),
        ({"populations": [3]}, "populations.0: write keys below it (name, role, "),
        ({"seed": [1]}, "seed: write a whole number, not a list"),
        ({"seed": {"a": 1}}, "seed: write a whole number, not keys below it"),
    ],
    ids=str,
)
def test_what_to_write_is_said_without_words_of_the_library(raw: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save(tmp_path, {**complete(), **raw}))
    told = str(caught.value)
    assert wanted in told
    assert not any(word in told.lower() for word in ("input should", "dictionary", "instance", "pattern", "valid "))


# ---- names of files ----


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".yaml", "x" * 5000])
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_name_longer_than_any_file_is_exit_2(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, name]) == 2
    told = capsys.readouterr().err
    assert told.startswith("xxx")
    assert "no such" in told
    assert len(told.splitlines()) == 1
    assert told.count("x") < 100
    assert len(told.partition(": ")[0]) <= SHOWN_CHARACTERS


def test_an_out_of_thousands_of_folders_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(CONFIGS / "default.yaml"), "--out", "a/" * 1500]) == 2
    assert capsys.readouterr().err == "--out: write at most 100 nested folders, not 1500\n"


# ---- tolerance ----


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({"protocol": {"tolerance": -1e-6}}, "protocol.tolerance: write 0 or more"),
        ({"protocol": {"tolerance": 1e-10}}, "protocol.tolerance: write 0 for bit by bit, or 1e-09 or more"),
        ({"protocol": {"tolerance": float("nan")}}, "protocol.tolerance: write a finite number"),
        ({"protocol": {"tolerance": float("inf")}}, "protocol.tolerance: write a finite number"),
        ({"protocol": {"tolerance": 1e7}}, "protocol.tolerance: write 1000000 or less"),
        ({"protocol": {"tolerance": "little"}}, "protocol.tolerance: write a number"),
        (
            {"engine": "virtual", "virtual": {"trainer": "fake"}, "protocol": {"tolerance": 1e-6}},
            "protocol.tolerance: training that is made up has no weights to compare; write 0, or virtual",
        ),
    ],
    ids=lambda item: item[20:60] if isinstance(item, str) else "",
)
def test_a_tolerance_that_cannot_be_is_refused(sections: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    assert refuse(tmp_path, **sections).startswith(wanted)


@pytest.mark.parametrize(("tolerance", "billionths"), [(0, 0), (1e-9, 1), (1e-7, 100), (0.1, 10**8)])
def test_the_chain_counts_a_tolerance_in_billionths(tolerance: float, billionths: int) -> None:
    scenario = shipped("default", f"protocol.tolerance={tolerance}")
    world = build_world(scenario, "mnist", bytes(32))
    assert as_training(world.mechanism).genesis.tolerance == billionths
