"""A run that all tests of the explorer look at, in a working folder of its own."""

from pathlib import Path

import pytest

import simulation as pot
from simulation.explorer import desk
from simulation.explorer.desk import Desk

MADE_UP = {"virtual.trainer": "fake", "output.pictures": False, "dataset.name": "digits"}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working folder with a run below `runs`, in which most of the stake poisons; leave it as it is."""
    folder = tmp_path_factory.mktemp("lab")
    pot.run(pot.load("majority_attack", MADE_UP, engine="virtual"), out=folder / "runs")
    return folder


@pytest.fixture
def here(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the run's folder, relative to the working folder, which is the lab now."""
    monkeypatch.chdir(lab)
    monkeypatch.setattr(desk.DESK, "given", [])
    (folder,) = Path("runs").glob("majority_attack-*")
    return folder


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk with nothing on it, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(desk.DESK, "given", [])
    monkeypatch.setattr(desk.DESK, "going", None)
    return desk.DESK
