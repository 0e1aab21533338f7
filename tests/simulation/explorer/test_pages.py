"""The pages without a browser, as Streamlit's own tester sees them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import simulation as pot
from simulation.engines import Holdings
from simulation.explorer import desk
from simulation.explorer.desk import Desk
from simulation.explorer.following import LiveBlock, LiveNode, Snapshot
from simulation.explorer.progress import ENDED
from simulation.explorer.stored import list_blocks, open_stored
from simulation.foundation import ROOT

testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not installed: make explore")

pytestmark = pytest.mark.drawing

VIEWS = ("Overview", "Blocks", "Accounts", "Refusals", "Check the chain")


def open_page(name: str = "Runs", **state: Any) -> Any:
    """Return a page, as a browser shows it."""
    page = testing.AppTest.from_file(str(ROOT / "simulation" / "explorer" / "app.py"), default_timeout=60)
    for key, value in {"page": name, **state}.items():
        page.session_state[key] = value
    return run(page)


def run(page: Any) -> Any:
    """Run a page again; no exception may be on it."""
    page.run()
    assert [element.value for element in page.exception] == []
    return page


def click(page: Any, key: str) -> Any:
    page.button(key=key).click()
    return run(page)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_a_run_is_shown(here: Path, view: str) -> None:
    page = open_page(view=view)
    assert page.selectbox(key="run").value == str(here)
    assert len(page.dataframe) >= 1
    assert len(page.get("vega_lite_chart")) == {"Overview": 1, "Blocks": 1, "Refusals": 2}.get(view, 0)
    assert not page.error


def test_an_empty_folder_says_what_to_do(fresh: Desk) -> None:
    assert "no run yet" in open_page().info[0].value
    assert "fewer than two" in open_page("Side by side").info[0].value
    assert "no sweep" in open_page("Sweeps").info[0].value


def test_a_block_is_chosen_and_its_transfer(here: Path) -> None:
    block = next(row["block"] for row in list_blocks(open_stored(here)) if row["transactions"])
    page = open_page(view="Blocks", block=block)
    facts = [frame.value for frame in page.dataframe if "what" in frame.value]
    assert [f"0x{facts[0]['value'].iloc[0][:12]}", facts[0]["what"].iloc[0]] == [block, "block"]
    assert facts[1]["value"].iloc[0] == page.selectbox(key="transaction").value


def test_a_run_that_disappears_leaves_a_sentence(fresh: Desk, lab: Path) -> None:
    shutil.copytree(lab / "runs", "runs")
    page = open_page()
    (folder,) = Path("runs").iterdir()
    shutil.rmtree(folder)
    run(page)
    assert [error.value.replace("\\", "") for error in page.error] == [
        f"{folder}: there is no such folder any more, or nothing in it to show"
    ]
    assert "no run yet" in page.info[0].value


def test_code_that_a_run_names_is_not_loaded_to_look_at_it(fresh: Desk, lab: Path) -> None:
    shutil.copytree(lab / "runs", "runs")
    (folder,) = Path("runs").iterdir()
    (folder / "evil.py").write_text("open('loaded', 'w')")
    with (folder / "scenario.yaml").open("a") as file:
        file.write("plugins: [evil.py]\n")
    assert len(open_page().dataframe) >= 1
    assert not Path("loaded").exists()


def test_what_a_file_says_is_neither_markdown_nor_html(fresh: Desk, lab: Path) -> None:
    shutil.copytree(lab / "runs", "runs")
    (folder,) = Path("runs").iterdir()
    evil = "![x](http://192.0.2.1/x) <img src=x onerror=alert(1)> **b** :red[r]"
    changed = pot.open_run(folder).scenario.change({"description": evil})
    (folder / "scenario.yaml").write_text(changed.to_yaml())
    shown = open_page().caption[0].value
    assert shown.replace("\\", "") == evil
    assert not any(f"{mark}" in shown.replace(f"\\{mark}", "") for mark in "![](<>*:")


def test_a_sweeps_lines_are_told_apart_and_figures_that_differ_come_first(fresh: Desk) -> None:
    keys: dict[str, Any] = {
        "name": "small",
        "description": "two keys",
        "scenario": "stake_bft",
        "repeats": 1,
        "seed": 1,
    }
    keys["set"] = {"mechanism.length": 1, "users.count": 0, "users.transactions": 0, "engine": "virtual"}
    keys["vary"] = {"network.latency.ms": [1.0, 50.0], "populations.rich.stake": [100.0, 200.0]}
    sweep = pot.sweep(keys, jobs=1)
    page = open_page("Sweeps")
    assert page.multiselect[0].value == ["populations.rich.stake"]
    assert sweep.aggregate.filter(regex=f"^{page.selectbox(key='sweep figure').value}(.mean)?$").nunique().item() > 1
    page.selectbox(key="sweep x").select("populations.rich.stake")
    run(page)
    assert page.multiselect[0].value == ["network.latency.ms"]
    assert not page.error


def test_a_node_alone_builds_a_chain_and_it_breaks(fresh: Desk) -> None:
    page = open_page("One node")
    page.button[0].click()  # of the form: add the record
    run(page)
    for _ in range(3):
        click(page, "make")
    click(page, "check chain")
    assert page.success[0].value == "All 3 blocks hold."
    page.selectbox(key="edit height").select(2)
    run(page)
    click(page, "edit")
    assert "not checked since" in page.info[0].value
    click(page, "check chain")
    assert "broken at height 2, and the block above it stands on nothing" in page.error[0].value
    click(page, "make")
    assert "height 2 is broken" in page.error[0].value
    click(page, "undo")
    click(page, "check chain")
    assert page.success[0].value == "All 3 blocks hold."


def test_a_form_says_at_its_key_what_is_wrong(fresh: Desk) -> None:
    page = open_page("New run", scenario="stake_bft")
    sections = [section.label for section in page.expander]
    assert page.text_input(key="stake_bft: run.time_limit_s").label == "time_limit_s"
    page.text_input(key="stake_bft: mechanism.length").set_value("many")
    run(page)
    assert [section.label for section in page.expander if section.proto.expanded] == ["mechanism"]
    assert page.button(key="start").disabled
    assert any("mechanism.length" in error.value.replace("\\", "") for error in page.error)
    page.text_input(key="stake_bft: mechanism.length").set_value("2")
    run(page)
    assert not page.error
    assert page.code[0].value == "python main.py run stake_bft --set mechanism.length=2"
    assert [section.label for section in page.expander] == sections  # a browser closes one that is called otherwise
    assert [section.label for section in page.expander if section.proto.expanded] == ["mechanism"]


def test_a_plugin_is_executed_where_the_command_named_it_and_it_is_chosen(fresh: Desk) -> None:
    assert "explore --plugin" in open_page("New run", scenario="stake_bft").caption[1].value
    source = """
from simulation.plugins import register_topology

@register_topology("a_ring")
def link(labels, rng):
    return [(labels[place - 1], labels[place]) for place in range(len(labels))]
"""
    Path("my_lab.py").write_text(source)
    fresh.plugins = [Path("my_lab.py").resolve()]
    key = "stake_bft: network.topology"
    page = open_page("New run", **{"scenario": "stake_bft", "plugins": fresh.plugins, key: "a_ring"})
    assert page.code[0].value == "python main.py run stake_bft --plugin my_lab.py --set network.topology=a_ring"
    assert page.button(key="start").disabled is False
    page = open_page("New run", **{"scenario": "stake_bft", "plugins": fresh.plugins, key: "a_rong"})
    assert "a\\_ring" in page.error[-1].value
    assert page.button(key="start").disabled is True
    page = open_page("New run", scenario="stake_bft", plugins=fresh.plugins)
    Path("my_lab.py").write_text("1 +")
    run(page)
    assert "my\\_lab" in page.error[0].value


class StandIn:
    """Stands for a run in a process: it is over when the test says so."""

    def __init__(self, scenario: pot.Scenario, out: Path, *, pace: float | None) -> None:
        self.scenario, self.out, self.pace = scenario, out, pace
        self.steps: list[bool] = []
        self.started, self.is_running = 1.0, True
        self.folder: Path | None = None
        self.error: str | None = None
        nodes = (LiveNode("honest-0", "honest", "honest", "training", 0.5, 1, "0xab", 2, None),)
        blocks = (LiveBlock("0xab", "genesis", 1, 1),)
        links = {("liar-0", "honest-0"): 2}
        holdings = Holdings(1, 5_000_000, {"honest-0": 3_000_000, "users": 1_000_000}, 7, 1_000_000)
        refused = {"malformed": 2}
        told = ("a *line*",), "the <b>latest</b>", holdings
        self.snapshot = Snapshot("going", 1.5, 1, 4, nodes, blocks, refused, links, *told)

    def set_pace(self, pace: float | None) -> None:
        self.pace = pace

    def step(self, *, is_to_block: bool) -> None:
        self.pace = 0.0
        self.steps.append(is_to_block)

    def stop(self) -> None:
        self.is_running = False


def test_a_run_is_started_watched_and_stopped(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "GoingRun", StandIn)
    page = open_page("New run", scenario="stake_bft")
    page.selectbox(key="stake_bft: engine").select("virtual")
    run(page)
    page.selectbox(key="first pace").select("0.3")
    click(page, "start")
    going: Any = fresh.going
    assert (going.scenario.engine, going.out, going.pace) == ("virtual", Path("runs"), 0.3)
    page.select_slider[0].set_value("10")
    run(page)
    assert going.pace == 10.0
    click(page, "next block")
    click(page, "next event")
    assert (going.steps, page.select_slider[0].value) == ([True, False], "halted")
    another = open_page("New run")  # whoever opens the page meanwhile sees the same run
    another.select_slider[0].set_value("3")
    run(another)
    assert going.pace == 3.0
    for _ in range(2):  # the other page sets no pace, whatever its slider was at before
        run(page)
        assert (going.pace, page.select_slider[0].value) == (3.0, "3")
    page.select_slider[0].set_value("halted")
    run(page)
    run(another)
    assert (going.pace, another.select_slider[0].value) == (0.0, "halted")
    assert "stake\\_bft" in another.subheader[0].value
    (told,) = [element.proto.body for element in another.get("html") if "progress" in element.proto.body]
    assert re.findall("<dd[^>]*>(.*?)</dd>", told) == ["1 of 4", "1.50", "2"]
    assert "going; the latest: the &lt;b&gt;latest&lt;/b&gt;" in told
    assert another.code[0].value == "a *line*"
    charts = [json.loads(chart.proto.spec) for chart in another.get("vega_lite_chart")]
    assert "coins" in str(charts)
    assert "By the employer's chain, at height 1:" in [caption.value for caption in another.caption]
    click(another, "stop")
    going.folder = Path("runs/some_thing")
    assert not page.success
    click(page, ENDED)  # as the browser does when it is told of the end
    assert ENDED not in [button.key for button in page.button]
    assert page.success[0].value.startswith("The run has ended; its folder is runs/some\\_thing")
    assert page.button(key="start")
    going.error = "there *was* a fault"
    run(page)
    assert page.error[0].value == "there \\*was\\* a fault"
