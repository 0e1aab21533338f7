"""Finished runs that several tests look at."""

import pytest

from tests.support.processes import Finished, launch, sets


@pytest.fixture(scope="session")
def default_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return the default scenario in full, as `python main.py` runs it."""
    return launch(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="session")
def majority_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return the majority attack, with shorter stages."""
    settings = sets("job.steps_per_stage=40", "job.stages=3")
    return launch(tmp_path_factory.mktemp("majority"), "run", "majority_attack", *settings)


@pytest.fixture(scope="session")
def troublemakers_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return the run with silent nodes, garbage and lone poisoners."""
    return launch(tmp_path_factory.mktemp("troublemakers"), "run", "troublemakers", *sets("output.pictures=false"))
