"""Finished runs that several tests look at, and what `verify` says of them."""

import warnings
from functools import cache
from pathlib import Path

import pytest

from simulation.commands.cli import main
from tests.support.processes import Finished, Run, Verify, get_mnist, launch, sets


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Return a function that runs `verify` in this process, where Keras is loaded once for many tests."""
    from simulation.training.keras_trainer import use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()
    mnist = get_mnist()
    if mnist is not None:
        monkeypatch.setenv("POT_MNIST", str(mnist))

    def run(folder: Path, *options: str) -> Finished:
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("default", DeprecationWarning)  # Keras and NumPy 2 have yet to agree on __array__
            code = main(["verify", str(folder), *options])
        told = capsys.readouterr()
        return Finished(folder, code, told.out, told.err)

    return run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs a command once in a session, however many tests look at what it leaves."""
    return cache(lambda *arguments: launch(tmp_path_factory.mktemp("run"), *arguments))


@pytest.fixture(scope="session")
def default_run(run: Run) -> Finished:
    """Return the default scenario in full, as `python main.py` runs it."""
    return run()


@pytest.fixture(scope="session")
def majority_run(run: Run) -> Finished:
    """Return the majority attack, with shorter stages."""
    return run("run", "majority_attack", *sets("job.steps_per_stage=40", "job.stages=3"))


@pytest.fixture(scope="session")
def troublemakers_run(run: Run) -> Finished:
    """Return the run with silent nodes, garbage and lone poisoners."""
    return run("run", "troublemakers", *sets("output.pictures=false"))
