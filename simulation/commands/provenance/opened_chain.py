"""The chain of a run's folder, judged, and what its keys are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os.path import exists, isdir, isfile
from pathlib import Path
from typing import Final

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.events import ChainRecord
from protocol.messages import AnyBlock, Transaction
from protocol.rules import Rules
from protocol.types import AccountId
from simulation.foundation import NANOSECONDS, Permission, SimulationError, permit_plugins
from simulation.records import CHAIN_NAME, SCENARIO_NAME, short_hash
from simulation.runs import ChainLines, UnknownMechanismError, find_lines, judge_chain, read_stored_chain
from simulation.scenario import ScenarioError, UntrustedPluginError, load_stored_scenario
from simulation.scenario.world import name_keys

_RESERVED: Final = {DEPOSITS: "deposits", WITHDRAWALS: "withdrawals"}
"""What accounts are called that nobody has the keys of."""

_NOTHING: Final = Permission()


class ChainFolderError(SimulationError, ValueError):
    """There is no chain to look anything up in; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class OpenedChain:
    """What of a stored chain holds, and what its keys are called."""

    rules: Rules
    records: tuple[ChainRecord, ...]
    """The genesis, and each block that holds, with the ledger after it."""
    fault: str | None
    """The first block that does not hold, and why; None where the whole file holds."""
    names: Mapping[AccountId, str]
    """Labels by public key: those of the scenario where one lies beside the chain."""

    @property
    def lines(self) -> ChainLines:
        """What the mechanism knows to say of its blocks."""
        return find_lines(self.rules.mechanism.name)

    @property
    def head(self) -> ChainRecord:
        """The last block that holds."""
        return self.records[-1]

    def list_blocks(self) -> Iterator[tuple[ChainRecord, ChainRecord, AnyBlock]]:
        """Yield each block with its record and that of its parent."""
        for parent, record in zip(self.records, self.records[1:], strict=False):
            if record.block is not None:
                yield parent, record, record.block

    def list_transactions(self) -> Iterator[tuple[ChainRecord, int, Transaction]]:
        """Yield each transaction with its block and its place there."""
        for _, record, block in self.list_blocks():
            yield from ((record, place, transaction) for place, transaction in enumerate(block.transactions))

    def name(self, key: AccountId) -> str:
        """Return what a key is called: its label, or its first digits."""
        return self.names.get(key) or short_hash(key)

    def find_seconds(self, slot: int) -> float:
        """Return when a slot begins, in seconds since the genesis."""
        return slot * self.rules.chain.slot_ns / NANOSECONDS


def open_chain(folder: Path, permission: Permission = _NOTHING) -> OpenedChain:
    """Return the chain of a run's folder as far as it holds.

    Args:
        folder: The folder.
        permission: Which of the run's plug-ins may be executed; those that are loaded already may in any case.

    Raises:
        ChainFileError: Not even its genesis can be read.
        ChainFolderError: There is no such folder, no chain in it, or one of a mechanism that is not known here.
        PluginError: A file that is permitted cannot be loaded.
    """
    path = folder / CHAIN_NAME
    if not isdir(folder):
        what = "a file" if isfile(folder) else "neither a folder nor a file" if exists(folder) else "no such folder"
        raise ChainFolderError(f"{folder}: {what}; write the folder of a run, such as runs/default-fa92f09c5f8c")
    if not isfile(path):
        raise ChainFolderError(f"{folder}: there is no {CHAIN_NAME} in it; write the folder of a run that has ended")
    with permit_plugins(permission):
        labels = _read_names(folder / SCENARIO_NAME)  # before the chain, whose mechanism may be one of its plug-ins
    if isinstance(labels, ScenarioError) and permission != _NOTHING:
        raise ChainFolderError(str(labels))
    try:
        judged = judge_chain(read_stored_chain(path))
    except UnknownMechanismError as error:
        is_untrusted = isinstance(labels, UntrustedPluginError)
        raise ChainFolderError(str(labels) if is_untrusted else f"{folder}: {error}") from None
    names = {**_RESERVED, **(labels if isinstance(labels, dict) else {})}
    return OpenedChain(judged.rules, judged.records, judged.fault, names)


def _read_names(path: Path) -> dict[AccountId, str] | ScenarioError:
    """Return the labels of a scenario's keys, or why it cannot be read: a chain needs no scenario."""
    if not isfile(path):
        return {}
    try:
        return name_keys(load_stored_scenario(path))
    except ScenarioError as error:
        return error
