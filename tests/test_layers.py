"""Which room of the simulation may import which. The layers are data; a file that reaches up, or sideways, is named."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

import pytest

import simulation
from simulation.foundation.mechanism_parts import SHIPPED
from tests.support.imports import ROOT, find_files, imports_of, name_module

LAYERS: Final = (
    ("main", "benchmarks"),
    ("simulation.commands",),
    ("simulation.explorer",),
    ("simulation.api",),
    ("simulation.plugins",),
    (
        "simulation.commands.report",
        "simulation.commands.sweeps",
        "simulation.commands.checks",
        "simulation.commands.checks.fuzzing",
        "simulation.commands.provenance",
    ),
    ("simulation.runs",),
    ("simulation.engines.processes", "simulation.engines.virtual"),
    ("simulation.engines.parties",),
    ("simulation.engines", "simulation.analysis"),
    ("simulation.scenario.world",),
    ("simulation.scenario",),
    ("simulation.training", "simulation.attacks"),
    ("simulation.training.models",),
    ("simulation.training.data_sets",),
    ("simulation.records",),
    ("simulation.mechanisms",),
    ("simulation.foundation",),
    ("simulation",),
    ("protocol",),
)
"""Rooms, highest first. A room may import those of lower lines, never those of higher ones; `BESIDE` says who may
import whom within a line."""

BESIDE: Final = frozenset(
    {
        ("simulation.commands.report", "simulation.commands.sweeps"),
        ("simulation.commands.checks.fuzzing", "simulation.commands.checks"),
    }
)

FLOORS: Final[Mapping[str, str]] = {
    "": "simulation.commands",
    "pictures": "simulation.commands.report",
    "verification": "simulation.commands.checks",
    "soak": "simulation.commands.checks",
    "fuzz": "simulation.commands.checks.fuzzing",
    "colluding_block": "simulation.commands.checks.fuzzing",
    "summary": "simulation.runs",
    "view": "simulation.runs",
    "useful": "simulation.analysis",
    "certificates": "simulation.runs",
    "chain_lines": "simulation.runs",
    "party_tools": "simulation.engines.processes",
    "virtual_tools": "simulation.engines.virtual",
    "workshop": "simulation.engines",
    "trainer_pool": "simulation.engines",
    "node_worker": "simulation.engines",
    "employer": "simulation.engines.parties",
    "journal_words": "simulation.engines.parties",
    "closed_forms": "simulation.analysis",
    "measures": "simulation.analysis",
    "compared": "simulation.analysis",
    "formulas": "simulation.analysis",
    "promises": "simulation.analysis",
    "genesis": "simulation.scenario.world",
    "hashing": "simulation.engines",
    "transfers": "simulation.scenario.world",
    "keys": "simulation.scenario",
    "data": "simulation.scenario",
    "delivery": "simulation.training",
    "behaviours": "simulation.attacks",
    "reporter": "simulation.records",
    "spends": "simulation.mechanisms",
    "parts": "simulation.mechanisms",
}
"""The room that a part of a mechanism stands beside: the part may import that room, and what that room may. The package
itself has no name here."""

BUILT_ON: Final = frozenset({("proof_of_activity", "proof_of_work")})
"""Mechanisms that are built on another one, which they may import: outside the core by its door."""

TOP: Final = "simulation"
"""The package: programs import it, so its own door stands on the room of the API, though all rooms lie below it."""

PUBLIC: Final = frozenset(f"{TOP}.{name}" for name in simulation.__all__)

RANKS: Final = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
SOURCES: Final = ("main.py", "benchmarks/*.py", "protocol/**/*.py", "simulation/**/*.py")


def find_room(name: str) -> str | None:
    """Return the room that a module, or a name of one, lies in; None for what is not ours."""
    while name and name not in RANKS:
        name = name.rpartition(".")[0]
    return name or None


def find_mechanism(name: str) -> tuple[str, str] | None:
    """Return the mechanism outside the core that a module belongs to, and its part; None for one of a room."""
    top, _, rest = name.partition("simulation.mechanisms.")
    mechanism, _, below = rest.partition(".")
    return None if top or mechanism not in SHIPPED else (mechanism, below.partition(".")[0])


def find_core_mechanism(name: str) -> str | None:
    """Return the mechanism of the core that a module belongs to."""
    top, _, rest = name.partition("protocol.mechanisms.")
    return None if top else rest.partition(".")[0] or None


def find_part_behind_door(mechanism: str, name: str) -> str:
    """Return the part of a mechanism that a name at its door comes from."""
    found: str = getattr(import_module(f"simulation.mechanisms.{mechanism}"), name).__module__
    return found.rpartition(".")[2]


def lies_lower(room: str, other: str) -> bool:
    return RANKS[room] < RANKS[other] or (room, other) in BESIDE


def may_import(module: str, name: str) -> bool:
    """Return whether a module may import a name, as far as layers have a say in it."""
    own, other = find_mechanism(module), find_mechanism(name)
    core_other = find_core_mechanism(name)
    own_mechanism = own[0] if own else find_core_mechanism(module)
    if core_other and own_mechanism:
        return core_other == own_mechanism or (own_mechanism, core_other) in BUILT_ON
    room, other_room = "simulation.api" if module == TOP else find_room(module), find_room(name)
    if name == TOP or name in PUBLIC:
        other_room = "simulation.api"
    if room is None or other_room is None:
        return True
    if other:
        if own is None or (own[0] != other[0] and (own[0], other[0]) not in BUILT_ON):
            return False  # rooms ask `simulation.mechanisms` for a part
        part = other[1] if other[1] in FLOORS else find_part_behind_door(*other)
        other_room = FLOORS[part]
    if own:
        room = FLOORS[own[1]]
    return room == other_room or lies_lower(room, other_room)


def list_imports() -> Iterator[tuple[str, str]]:
    """Yield every module of ours with each name that it imports."""
    for path in find_files(*SOURCES):
        for name in imports_of(path):
            yield name_module(path), name


def test_every_room_has_a_layer_and_every_layer_a_room() -> None:
    packages = {name_module(path) for path in find_files("simulation/**/__init__.py")}
    assert {name for name in packages if find_mechanism(name) is None} == {
        room for room in RANKS if room.startswith("simulation")
    }
    assert len(RANKS) == sum(map(len, LAYERS))


def test_every_part_of_a_mechanism_stands_beside_a_room() -> None:
    for path in find_files("simulation/mechanisms/*/**/*.py"):
        found = find_mechanism(name_module(path))
        assert found is not None, f"{path.relative_to(ROOT)} belongs to no mechanism of the package"
        assert found[1] in FLOORS, f"{path.relative_to(ROOT)}: no room is named for {found[1]!r}"
    assert set(FLOORS.values()) <= set(RANKS)


def test_imports_run_downwards() -> None:
    wrong = [f"{module} imports {name}" for module, name in list_imports() if not may_import(module, name)]
    assert not wrong, "\n".join(wrong)


def test_the_simulation_has_no_more_than_fifteen_entries() -> None:
    entries = sorted(path.name for path in (ROOT / "simulation").iterdir() if path.name != "__pycache__")
    assert len(entries) <= 15, entries


# ---- the checks themselves ----

_TRAINING: Final = "simulation.mechanisms.proof_of_training"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("simulation.training.trainer", "simulation.scenario.Scenario"),
        ("simulation.training.trainer", "simulation.engines.worker.WorkDone"),
        ("simulation.training.trainer", "simulation.runs.folder"),
        ("simulation.training.trainer", "simulation.attacks.HONEST"),
        ("simulation.attacks.layers", "simulation.training.POISONS"),
        ("simulation.scenario.keys", "simulation.scenario.world.World"),
        ("simulation.scenario", "simulation.scenario.world"),
        ("simulation", "simulation.commands.main"),
        ("simulation.api.running", "simulation.commands.main"),
        ("simulation.runs.run", "simulation.run"),
        ("simulation.engines.virtual.seat", "simulation.engines.processes.links.Link"),
        ("simulation.engines.processes.roles", "simulation.engines.virtual.EventQueue"),
        ("simulation.engines.worker", "simulation.engines.parties.Host"),
        ("simulation.analysis.measures", "simulation.engines.EngineResult"),
        ("simulation.commands.sweeps.session", "simulation.commands.report.write_report"),
        ("simulation.commands.sweeps.session", "simulation.commands.cli"),
        ("simulation.commands.checks.soak", "simulation.commands.checks.fuzzing.run_seeds"),
        ("simulation.records.tally", "simulation.training.Trainer"),
        ("simulation.foundation.mechanism_parts", "simulation.records.Fact"),
        ("simulation.foundation.units", "simulation.mechanisms.find_part"),
        ("simulation.scenario.keys", f"{_TRAINING}.data.load_data"),
        ("simulation.scenario.populations", "simulation.plugins.register_poison"),
        ("simulation.runs.run", f"{_TRAINING}.Trained"),
        (f"{_TRAINING}.data", "simulation.engines.EngineResult"),
        (f"{_TRAINING}.reporter", f"{_TRAINING}.employer.EmployerDesk"),
        (f"{_TRAINING}.behaviours.withholding", "simulation.training.POISONS"),
        (f"{_TRAINING}.data", "simulation.scenario.world.World"),
        (f"{_TRAINING}.parts", "protocol.mechanisms.another.mechanism"),
        ("protocol.mechanisms.proof_of_training.judging", "protocol.mechanisms.another.messages"),
        ("protocol.mechanisms.proof_of_work.judging", "protocol.mechanisms.proof_of_activity.messages"),
        ("simulation.mechanisms.proof_of_activity.keys", "simulation.mechanisms.proof_of_work.WorkPromises"),
        ("protocol.node", "simulation.foundation.units"),
    ],
)
def test_the_check_sees_who_reaches_too_far(module: str, name: str) -> None:
    assert not may_import(module, name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("main", "simulation.commands.main"),
        ("simulation", "simulation.api.run"),
        ("simulation.api.running", "simulation.commands.report.draw_run"),
        ("simulation.training.trainer", "simulation.training.samples.order"),
        ("simulation.training.trainer", "simulation.records.short_hash"),
        ("simulation.training.trainer", "protocol.types.Digest"),
        ("simulation.training.trainer", "numpy.float32"),
        ("simulation.commands.report.sweep_table", "simulation.commands.sweeps.read_digests"),
        ("simulation.runs.run", "simulation.mechanisms.find_part"),
        (f"{_TRAINING}.virtual_tools", f"{_TRAINING}.workshop.Workshop"),
        (f"{_TRAINING}.employer", f"{_TRAINING}.reporter.TrainingReporter"),
        (f"{_TRAINING}.data", "simulation.records.Fact"),
        (f"{_TRAINING}.behaviours.catalogue", f"{_TRAINING}.behaviours.withholding.Withholder"),
        (f"{_TRAINING}.reporter", "protocol.mechanisms.proof_of_training.work.TrainStage"),
        ("protocol.mechanisms.proof_of_training.judging", "protocol.rules.Rules"),
        ("protocol.mechanisms.proof_of_activity.judging", "protocol.mechanisms.proof_of_work.work.does"),
        ("simulation.mechanisms.proof_of_activity.promises", "simulation.mechanisms.proof_of_work.WorkPromises"),
        ("protocol.mechanisms", "protocol.mechanisms.proof_of_training.mechanism"),
    ],
)
def test_the_check_leaves_others_alone(module: str, name: str) -> None:
    assert may_import(module, name)
