"""The target of every party's process. It names the roles only inside, so that the starting process stays light."""

from collections.abc import Mapping
from multiprocessing.connection import Connection

from simulation.engines.processes.control import PartyFailed, Role, Setup
from simulation.engines.processes.control_pipe import unpack
from simulation.foundation import PluginSource, blame_plugin, use_plugins


def run_party_process(setup: Setup, role: Role, control: Connection, connections: Mapping[str, Connection]) -> None:
    """Live as the party that its role describes."""
    from simulation.engines.processes.roles import run_role  # noqa: PLC0415 - the forkserver has it already

    run_role(setup, role, control, connections)


def run_plugged_party(
    plugins: tuple[PluginSource, ...], packed: bytes, control: Connection, connections: Mapping[str, Connection]
) -> None:
    """Live as a party of a scenario with plug-ins.

    Args:
        plugins: Code from outside the package, which is loaded before anything that is made of it is unpacked.
        packed: Set-up and role of the party, by `control_pipe.pack`.
        control: Pipe to the starter.
        connections: Pipes to the neighbours.
    """
    try:
        use_plugins(plugins)
        setup, role = unpack(packed)
    except Exception as error:  # noqa: BLE001 - across a process boundary, failure is data
        blamed = blame_plugin(error) or str(error)
        control.send(PartyFailed(type(error).__name__, str(error), None, blamed))
        return
    run_party_process(setup, role, control, connections)
