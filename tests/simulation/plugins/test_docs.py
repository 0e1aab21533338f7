"""The examples of docs/plugins.md are plug-ins, and do something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.foundation.plugin_table import put_in_force
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.loading import load_scenario
from simulation.training.trainer import build_training_set
from tests.simulation.plugins.material import SMALL, Example, list_examples, write
from tests.support.scenarios import make_images, save

WHOLE = [example for example in list_examples() if example.title not in ("A mechanism", "A package")]
"""That of a mechanism is the end of a longer file; `test_mechanisms` runs it, `test_example_package` the package."""


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


@pytest.mark.parametrize("example", WHOLE, ids=lambda example: example.title)
def test_an_example_runs(tmp_path: Path, example: Example) -> None:
    write(tmp_path, example.python)
    raw = {**SMALL, "virtual": {"trainer": "fake"}, "plugins": ["my_lab.py"], **example.keys}
    scenario = load_scenario(save(tmp_path, raw))
    run = MemoryRun(scenario)
    result = run.run()
    assert (result.reason, run.find_fault(result)) == ("complete", None)
    for population in scenario.populations:
        if population.poison is not None:
            assert len(build_training_set(make_images(), population.poison, 7)) == len(make_images().y_train)
