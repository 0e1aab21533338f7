"""The package of docs/examples, installed as its pyproject.toml says, does what docs/plugins.md says of it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from simulation.commands import cli
from simulation.foundation.plugin_table import put_in_force
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.loading import load_scenario
from tests.simulation.plugins.material import DOCS
from tests.support.scenarios import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "slot_turns"
SCENARIO = EXAMPLE / "slot_turns.yaml"


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))
    for package in project["tool"]["setuptools"]["packages"]:
        copytree(EXAMPLE / package, site / package, ignore=ignore_patterns("__pycache__"))
    told = site / f"{project['project']['name']}-{project['project']['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['project']['name']}\n", "utf-8")
    groups = project["project"]["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *map(" = ".join, points.items()))]
    (told / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield
        put_in_force(())


def test_turns_are_kept_and_whoever_jumps_the_queue_is_refused() -> None:
    run = MemoryRun(load_scenario(SCENARIO, ["engine=virtual"]))
    result = run.run()
    assert (result.reason, run.find_fault(result)) == ("complete", None)
    refused = {population: set(reasons) for population, reasons in run.tally.rejected_from.items()}
    assert refused == {"jumpers": {"out-of-turn"}}


def test_its_key_is_read_strictly_and_is_part_of_the_chain(capsys: pytest.CaptureFixture[str]) -> None:
    chains = {
        MemoryRun(load_scenario(SCENARIO, [f"mechanism.width={width}"])).world.mechanism.compute_chain_id()
        for width in (1, 2)
    }
    assert len(chains) == 2
    assert cli.main(["validate", str(SCENARIO)]) == 0
    capsys.readouterr()
    assert cli.main(["run", str(SCENARIO), "--set", "mechanism.width=0"]) == 2
    assert "mechanism.width" in capsys.readouterr().err


def test_a_name_adds_it_to_a_scenario_that_does_not_name_it(tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(SCENARIO.read_text("utf-8").replace("plugins: [slot_turns]\n", ""), "utf-8")
    assert load_scenario(bare, plugins=[Path("slot_turns")]) == load_scenario(SCENARIO)


def test_the_docs_show_what_is_there() -> None:
    section = DOCS.partition("\n## A package\n")[2].partition("\n## ")[0]
    sources = {file: file.read_text("utf-8") for file in EXAMPLE.rglob("*") if file.suffix in (".py", ".toml")}
    shown = re.findall(r"```(?:python|toml)\n(.*?)```", section, re.DOTALL)
    assert len(shown) == 3
    assert [block for block in shown if not any(block in source for source in sources.values())] == []
    names = re.search(r"```text\n(.*?)```", section, re.DOTALL)
    assert names is not None
    listed = set(re.findall(r"[\w.]+\.(?:py|toml|yaml)", names[1]))
    assert listed == {file.name for file in (*sources, SCENARIO)}
