"""Whether a stored chain begins as its scenario says: who takes part, and what all agreed on."""

from typing import Any

import msgspec

from protocol.rules import Rules
from simulation.commands.checks.verification import Verification
from simulation.foundation import find_differences
from simulation.records import CHAIN_NAME, SCENARIO_NAME
from simulation.runs import Summary
from simulation.scenario import ScenarioError
from simulation.scenario.world import World


def rebuild_world(own: Verification, summary: Summary) -> tuple[World | None, str | None]:
    """Return who took part, by the scenario; or in which way the chain begins with something else."""
    dataset = own.find_dataset() or _read_dataset(summary)
    try:
        world = own.build_world(*dataset)
    except ScenarioError as error:
        return None, f"{SCENARIO_NAME}: {error}"
    asked, told = world.mechanism.stamp_bits, own.mechanism.stamp_bits
    if asked != told:
        return None, f"{CHAIN_NAME}: the genesis: stamp_bits is {told}, {SCENARIO_NAME} gives {asked}"
    stored, wanted = _unfold(own.mechanism.genesis), _unfold(world.mechanism.genesis)
    for difference in find_differences(stored, wanted):
        return None, f"{CHAIN_NAME}: the genesis: {difference.describe(f'{SCENARIO_NAME} gives')}"
    if Rules(world.mechanism).chain_id != own.run.rules.chain_id:
        return None, f"{CHAIN_NAME}: not the chain that {SCENARIO_NAME} begins"
    return world, None


def _unfold(part: Any) -> Any:  # noqa: ANN401 - whatever a genesis is made of
    """Return a genesis as mappings and lists, for each of its values to have a name."""
    if isinstance(part, msgspec.Struct):
        return {name: _unfold(getattr(part, name)) for name in part.__struct_fields__}
    return [_unfold(item) for item in part] if isinstance(part, list | tuple) else part


def _read_dataset(summary: Summary) -> tuple[str, bytes]:
    """Return what a summary says of the data set; whether that is so is for others to say."""
    told = summary.get("dataset")
    name, digest = (told.get("name"), told.get("digest")) if isinstance(told, dict) else (None, None)
    try:
        return str(name), bytes.fromhex(str(digest))
    except ValueError:
        return str(name), b""
