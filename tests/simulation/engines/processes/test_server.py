"""What the server loads for whom, and that one mechanism's server is not another's."""

import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import forkserver

import pytest

from simulation.engines.processes.server import ROLES, list_preload, start_server
from tests.round_robin import parts as round_robin
from tests.support.scenarios import ROOT


@pytest.fixture
def server() -> Iterator[None]:
    """End the server that a test has started."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the library's own way to end it in tests


def load(modules: tuple[str, ...]) -> set[str]:
    """Return the packages that a fresh process has when it has imported some modules."""
    code = f"import sys, {', '.join(modules)}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.processes
def test_nothing_of_training_is_loaded_where_nothing_trains() -> None:
    assert not load(list_preload("proof_of_work")) & {"tensorflow", "keras", "sklearn", "pandas", "matplotlib"}


def test_a_mechanism_that_trains_has_its_tools_loaded_and_one_from_outside_needs_none() -> None:
    assert "simulation.mechanisms.proof_of_training.party_tools" in list_preload("proof_of_training")
    round_robin.register()
    assert list_preload("round_robin") == (ROLES,)


@pytest.mark.processes
@pytest.mark.usefixtures("server")
def test_a_server_serves_its_mechanism_again_and_no_other() -> None:
    round_robin.register()
    first = start_server("round_robin")
    assert start_server("round_robin") == first
    assert start_server("proof_of_work") not in (None, first)
