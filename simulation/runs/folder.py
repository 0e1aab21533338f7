"""The folder that a run leaves behind."""

from pathlib import Path

from simulation.foundation import SimulationError, compute_code_version
from simulation.records import JOURNAL_FOLDER, SCENARIO_NAME
from simulation.scenario import PLUGINS_FOLDER, Scenario, list_plugin_files


class FolderError(SimulationError):
    """The run's folder cannot be made or written; the text says why."""


def make_folder(out: Path, scenario: Scenario) -> Path:
    """Return a new folder with the scenario and its plug-ins in it; a run never writes into an earlier one's.

    Args:
        out: Folder that it is made in.
        scenario: What is run, completely resolved.

    Raises:
        FolderError: It cannot be made.
    """
    folder = _make_numbered(out, f"{scenario.name}-{scenario.compute_fingerprint(compute_code_version())}")
    (folder / SCENARIO_NAME).write_text(scenario.to_yaml(), "utf-8")
    for name, source in list_plugin_files(scenario.plugins).items():
        (folder / PLUGINS_FOLDER).mkdir(exist_ok=True)
        (folder / PLUGINS_FOLDER / name).write_bytes(source)
    return folder


def make_journal_folder(folder: Path, scenario: Scenario) -> Path | None:
    """Return the folder of a run's journals, made now; None where none are kept."""
    if not scenario.output.journal:
        return None
    journals = folder / JOURNAL_FOLDER
    journals.mkdir()
    return journals


def _make_numbered(out: Path, base: str) -> Path:
    number = 1
    while True:
        folder = out / (base if number == 1 else f"{base}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                raise FolderError(f"{folder}: a file is in the way; choose another --out") from None
            number += 1
        except OSError as error:
            raise FolderError(f"{folder}: cannot be made: {error.strerror}; choose another --out") from None
        else:
            return folder
