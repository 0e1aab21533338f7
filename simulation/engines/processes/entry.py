"""The target of every party's process. It names the roles only inside, so that the starting process stays light."""

from collections.abc import Mapping
from multiprocessing.connection import Connection

from simulation.engines.processes.control import Role, Setup


def run_party_process(setup: Setup, role: Role, control: Connection, connections: Mapping[str, Connection]) -> None:
    """Live as the party that its role describes."""
    from simulation.engines.processes.roles import run_role  # noqa: PLC0415 - the forkserver has it already

    run_role(setup, role, control, connections)
