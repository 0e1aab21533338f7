"""Each room is entered by its door: a package that lists what others may use, and loads nothing before it is used."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import simulation
from simulation import foundation
from simulation.foundation import units
from simulation.foundation.mechanism_parts import SHIPPED
from tests.support.imports import ROOT, find_files, imports_of, name_module
from tests.test_layers import RANKS, TOP

ROOMS: Final = frozenset(
    {room for room in RANKS if room.startswith("simulation.")} | {f"simulation.mechanisms.{name}" for name in SHIPPED}
)
MODULES: Final = frozenset(name_module(path) for path in find_files("simulation/**/*.py"))
HEAVY: Final = frozenset(
    {"altair", "keras", "matplotlib", "networkx", "pandas", "pyarrow", "ray", "rich", "sklearn", "streamlit"}
    | {"tensorflow", "typer"}
)
HELPER: Final = "simulation.foundation.doors"
"""The one module that doors are made with."""


def find_room(name: str) -> str | None:
    """Return the room that a module, or a name of one, lies in; None outside of rooms."""
    while name and name not in ROOMS:
        name = name.rpartition(".")[0]
    return name or None


def find_fault(module: str, name: str) -> str | None:
    """Return what is wrong with the way by which a module imports a name; None for a right way."""
    own, room = find_room(module), find_room(name)
    if room is None or module == room:
        return None
    is_door = name not in MODULES and name.count(".") == room.count(".") + 1
    if room == own:
        return f"{module} imports {name} from its own door" if is_door else None
    return None if is_door else f"{module} imports {name} past the door of {room}"


def get_door(room: str) -> Path:
    return ROOT.joinpath(*room.split("."), "__init__.py")


def read_door(source: str, room: str) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return which module each name comes from, for type checkers and for the program; and the names listed."""
    typed: dict[str, str] = {}
    found: dict[str, str] = {}
    listed: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{room}."):
            typed.update({alias.name: node.module or "" for alias in node.names})
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open_door":
            table: dict[str, str] = ast.literal_eval(node.args[1])
            found.update({name: f"{room}.{module}" for module, names in table.items() for name in names.split()})
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            listed = ast.literal_eval(node.value)
    return typed, found, listed


def list_loaded(*modules: str) -> set[str]:
    """Return what a fresh process has loaded after it has imported some modules."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_rooms_are_entered_by_their_doors() -> None:
    faults = [
        fault
        for path in find_files("main.py", "benchmarks/*.py", "simulation/**/*.py")
        for name in imports_of(path)
        if (fault := find_fault(name_module(path), name))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("room", [*sorted(ROOMS), TOP])
def test_a_door_says_the_same_to_all(room: str) -> None:
    source = get_door(room).read_text("utf-8")
    typed, found, listed = read_door(source, room)
    if room == "simulation.foundation":  # which has the helper in its hands already
        found["open_door"] = HELPER
    if room == TOP:  # which is no part of what it is made with
        del typed["open_door"]
    assert typed == found
    assert sorted(listed) == sorted(found)
    assert "\n" not in (ast.get_docstring(ast.parse(source)) or "\n"), "one line says what the room is for"


@pytest.mark.parametrize("room", [*sorted(ROOMS), TOP])
def test_no_name_of_a_door_hides_a_module(room: str) -> None:
    _, found, _ = read_door(get_door(room).read_text("utf-8"), room)
    assert not {f"{room}.{name}" for name in found} & MODULES


@pytest.mark.processes
def test_doors_load_nothing() -> None:
    loaded = list_loaded(*sorted(ROOMS))
    assert {name for name in loaded if name.startswith("simulation.")} == ROOMS | {HELPER}
    assert not loaded & HEAVY


# ---- what doors are made of ----


def test_a_door_finds_a_name_when_it_is_asked_for() -> None:
    assert foundation.NANOSECONDS is units.NANOSECONDS
    assert "NANOSECONDS" in dir(foundation)


def test_a_door_does_not_know_what_is_not_offered() -> None:
    with pytest.raises(AttributeError, match=r"'simulation\.foundation' has no attribute 'unheard_of'"):
        _ = foundation.unheard_of  # type: ignore[attr-defined]


def test_what_is_replaced_in_its_module_is_replaced_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "to_micro", len)
    assert foundation.to_micro is len  # type: ignore[comparison-overlap]


# ---- the checks themselves ----


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("simulation.runs.run", "simulation.records.tally.Tally"),
        ("simulation.runs.run", "simulation.records.tally"),
        ("simulation.runs.run", "simulation.records"),
        ("simulation.engines.virtual.seat", "simulation.engines.worker.Worker"),
        ("simulation.scenario.world.world", "simulation.scenario.keys.Keys"),
        ("main", "simulation.commands.cli.main"),
        ("simulation.records.reading", "simulation.records.Tally"),
        ("simulation.engines.worker", "simulation.mechanisms.proof_of_training.data.load_data"),
    ],
)
def test_the_check_sees_who_goes_round_a_door(module: str, name: str) -> None:
    assert find_fault(module, name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("simulation.runs.run", "simulation.records.Tally"),
        ("simulation.records.reading", "simulation.records.tally.Tally"),
        ("simulation.records", "simulation.records.tally.Tally"),
        ("simulation.engines.virtual.seat", "simulation.engines.Worker"),
        ("simulation.scenario.defaults", "simulation.constants"),
        ("main", "protocol.node.Node"),
    ],
)
def test_the_check_lets_others_in(module: str, name: str) -> None:
    assert find_fault(module, name) is None


def test_programs_find_all_that_is_public() -> None:
    for name in simulation.__all__:
        assert getattr(simulation, name).__name__ == name


def test_the_check_sees_a_door_that_says_two_things() -> None:
    source = """from simulation.foundation import open_door
if TYPE_CHECKING:
    from simulation.records.tally import Tally
else:
    __getattr__, __dir__ = open_door(__name__, {"record": "Record short_hash"})
__all__ = ["Tally"]
"""
    typed, found, listed = read_door(source, "simulation.records")
    assert typed == {"Tally": "simulation.records.tally"}
    assert found == {"Record": "simulation.records.record", "short_hash": "simulation.records.record"}
    assert listed == ["Tally"]


@pytest.mark.processes
def test_the_check_sees_what_is_loaded() -> None:
    assert {"simulation.records.lines", "simulation.records"} <= list_loaded("simulation.records.lines")
