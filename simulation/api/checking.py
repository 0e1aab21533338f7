"""Doubting what a run has left behind: checked again from its files, its work done again, its journals replayed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from os.path import exists, isdir, isfile
from pathlib import Path
from typing import Final

from simulation.api.arguments import checked
from simulation.api.elsewhere import can_train_here, work_elsewhere
from simulation.api.sources import Source, get_path
from simulation.commands.checks import read_summary, replay_run, verify_run
from simulation.foundation import Permission, SimulationError, permit_plugins
from simulation.runs import check_certificate_file

__all__ = ["Replayed", "Verified", "read_summary", "replay", "verify"]

_WHAT_IS_VERIFIED: Final = (
    "write the folder of a finished run, or the certificate.json of one, which a run of version 1 of the rules, or one "
    "that ended without a delivery, does not have"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a check; true in a condition if all holds."""

    faults: tuple[str, ...]
    """What does not hold, a sentence each."""
    facts: tuple[str, ...]
    """What was found to hold, a line each."""

    def __bool__(self) -> bool:
        """Return whether all holds."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of the journal of one party."""

    party: str
    events: int
    """How many inputs its core was given again."""
    difference: str | None
    """The first answer that was another one; None where all are the same."""


@checked
def verify(
    path: Source,
    *,
    retrain: bool = False,
    dataset: str | Path | None = None,
    say: Callable[[str], object] | None = None,
    plugins: Sequence[str | Path] = (),
    trust_plugins: bool = False,
) -> Verified:
    """Check a stored run, or the certificate of one, again.

    Args:
        path: A finished run, its folder, or its ``certificate.json``.
        retrain: Whether every stage is trained again and judged against that.
        dataset: Where the data set is now, for `retrain`; None for where the scenario says.
        say: Takes each line about what was found to hold as soon as it is known.
        plugins: Files, or names of packages, of plug-ins that the run had, which may be executed if they are the same.
        trust_plugins: Whether the copies of plug-ins in the run's folder may be executed, which may be anybody's code.

    Raises:
        DatasetError: Training again needs a data set that cannot be had.
        SimulationError: There is nothing of that kind to check.
    """
    place = get_path(path)
    facts: list[str] = []

    def note(line: object) -> None:
        facts.append(str(line))
        if say is not None:
            say(str(line))

    if isfile(place):
        return _verify_certificate(place, facts, note, is_more_asked=retrain or dataset is not None)
    if not isdir(place):
        what = "neither a folder nor a file to be read" if exists(place) else "there is no such folder or file"
        raise SimulationError(f"{place}: {what}; {_WHAT_IS_VERIFIED}")
    if dataset is not None and not retrain:
        raise SimulationError("--dataset: only --retrain looks at the data set; add --retrain, or leave --dataset out")
    permission = Permission(tuple(Path(file) for file in plugins), trust_plugins)
    work = partial(_verify_folder, place, retrain, str(dataset) if dataset is not None else None, permission)
    is_here = not retrain or can_train_here()
    faults = work(note, _never) if is_here else work_elsewhere(work, note, _never)
    return Verified(tuple(faults), tuple(facts))


def _never() -> bool:
    return False


def _verify_folder(
    folder: Path,
    retrain: bool,
    dataset: str | None,
    permission: Permission,
    say: Callable[[str], None],
    _: Callable[[], bool],
) -> list[str]:
    with permit_plugins(permission):
        return verify_run(folder, is_retraining=retrain, say=say, dataset_path=dataset)


def _verify_certificate(path: Path, facts: list[str], note: Callable[[str], None], *, is_more_asked: bool) -> Verified:
    if is_more_asked:
        raise SimulationError(f"{path}: a certificate is checked without training; leave the options out")
    try:
        for line in check_certificate_file(path):
            note(line)
    except SimulationError:
        raise
    except ValueError as error:
        return Verified((f"{path}: {error}",), tuple(facts))
    return Verified((), tuple(facts))


def replay(folder: Source, *, plugins: Sequence[str | Path] = (), trust_plugins: bool = False) -> Iterator[Replayed]:
    """Yield what comes of feeding each party's recorded inputs to a fresh core.

    Args:
        folder: A run with journals, or its folder.
        plugins: Files, or names of packages, of plug-ins that the run had, which may be executed if they are the same.
        trust_plugins: Whether the copies of plug-ins in the run's folder may be executed, which may be anybody's code.

    Raises:
        JournalError: The run has no journals, or one cannot be read.
    """
    with permit_plugins(Permission(tuple(Path(file) for file in plugins), trust_plugins)):
        for found in replay_run(get_path(folder)):
            yield Replayed(*found)
