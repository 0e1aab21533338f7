"""Arguments of no use are one sentence each, with what to write instead; natural ones are taken."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulation as pot
from simulation.api.arguments import checked

KEY = "populations.honest.count"
ANY: Any = pot
"""What type checkers do not look into: they would refuse these calls before we can."""


@pytest.fixture(scope="module")
def small() -> pot.Scenario:
    return pot.load("stake_bft", {"mechanism.length": 2, KEY: 3, "output.journal": True}, engine="virtual")


@pytest.fixture(scope="module")
def made(small: pot.Scenario, tmp_path_factory: pytest.TempPathFactory) -> pot.Run:
    keys = {"output.pictures": False, "users": {"count": 0, "transactions": 0}}
    return pot.run(small.change(keys), tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda it: ANY.run(it, 5), r"^out: write a path, as text or as a Path, not 5$"),
        (lambda it: ANY.run(it, it), r"^out: write a path, .*, not <Scenario stake_bft: "),
        (lambda it: ANY.run(it, cancel=True), r"^cancel: write a threading\.Event, or anything with is_set\(\), not T"),
        (lambda it: ANY.run(it, on_progress="x"), r"^on_progress: write a function, not 'x'$"),
        (lambda it: ANY.run([it, it]), r"^load: write the name of a shipped scenario, .*, not \[<Scenario"),
        (lambda _: ANY.load(None), r"^load: write the name of a shipped scenario, .*, not None$"),
        (lambda it: ANY.load(it, {KEY: 4}), r"write scenario\.change\(\.\.\.\) for another one$"),
        (lambda it: ANY.sweep({"scenario": it}, jobs="2"), r"^jobs: write a whole number, not '2'$"),
        (lambda it: ANY.sweep({"scenario": it}, jobs=0), r"^jobs: write 1 or more, not 0$"),
        (ANY.sweep, r'no sweep; write a shipped one\'s name, .* \{"scenario": scenario, "vary": '),
        (lambda _: ANY.sweep({"scenario": 3}), r"^sweep: scenario: write a Scenario, a name or a path, not 3$"),
        (lambda _: ANY.open_run(3), r"^folder: write a path, as text or as a Path, not 3$"),
        (lambda _: ANY.verify(3), r"^3: write a Run or a Sweep, or the path of its folder$"),
        (lambda _: ANY.report("a", out=None), r"^out: write a path, as text or as a Path, not None$"),
    ],
)
def test_an_argument_of_no_use_is_a_sentence(small: pot.Scenario, call: Callable[[Any], object], said: str) -> None:
    with pytest.raises(pot.SimulationError, match=said):
        call(small)


def test_calls_are_refused_as_python_does_where_their_names_are_wrong() -> None:
    @checked
    def call(out: str, *rest: str, jobs: int | None = None) -> str:
        return f"{out} {rest} {jobs}"

    assert call("a", "b", jobs=None) == "a ('b',) None"
    assert call(out="a", jobs=2) == "a () 2"
    with pytest.raises(TypeError, match="unexpected keyword argument 'job'"):
        call("a", job=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'out'"):
        call()  # type: ignore[call-arg]


def test_sweeps_that_are_mappings_are_checked_too(small: pot.Scenario) -> None:
    wanted = "3 combinations, 6 cells"
    assert pot.validate({"scenario": small, "vary": {KEY: np.linspace(2, 4, 3)}, "repeats": 2}) == wanted
    assert pot.validate({"scenario": small.to_dict(), "vary": {KEY: [2, 3, 4]}, "repeats": 2}) == wanted
    assert pot.validate(small.to_dict()) == small.describe()
    with pytest.raises(pot.ScenarioError, match=r"write a whole number, not 2\.5"):
        pot.validate({"scenario": small, "vary": {KEY: [2.5, 3.0]}})


def test_numbers_of_numpy_are_whole_only_where_the_key_takes_no_others(small: pot.Scenario) -> None:
    from simulation.api.sweeping import read_plan  # noqa: PLC0415 - what the sentences above are about

    vary = {KEY: [2.0, 3.0], "network.latency.ms": [0.0, 1.0]}
    axes = read_plan({"scenario": small, "vary": vary}).axes
    assert [repr(axis.rows) for axis in axes] == ["((2,), (3,))", "((0.0,), (1.0,))"]


def test_runs_are_taken_where_their_folders_are(made: pot.Run, tmp_path: Path) -> None:
    assert pot.verify(made)
    assert not any(replayed.difference for replayed in pot.replay(made))
    assert pot.compare([made, made.folder]).equals(pot.compare(made, made))
    with pytest.raises(pot.SimulationError, match="name at least two runs"):
        pot.compare([made])
    other = Path(shutil.copytree(made.folder, tmp_path / "sweep"))
    (other / "pot_sim.log").unlink()
    (other / "sweep.yaml").touch()
    with pytest.raises(pot.SimulationError, match=r"sweep: a sweep, and runs are compared"):
        pot.compare(made, other)


def test_a_misspelt_figure_has_a_suggestion(made: pot.Run) -> None:
    with pytest.raises(AttributeError, match="ChainFigures: no figure 'heights'; did you mean 'height'"):
        made.figures.chain.heights  # noqa: B018
    assert not hasattr(made.figures, "nothing")
    assert made.keep("elsewhere") == made.folder
