"""A sweep's folder: the file that finished cells are appended to, and who may write it."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from simulation.commands.sweeps.cell_runner import Outcome
from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.errors import SweepError
from simulation.commands.sweeps.sweep_file import Sweep
from simulation.records import SCENARIO_NAME, SWEEP_NAME, write_in_one_step, write_text_in_one_step
from simulation.scenario import PLUGINS_FOLDER, list_plugin_files

SEAL_DIGITS: Final = 16
"""Hex digits of a line's digest: it is against mistakes, anybody can make another one."""

RUNNING_NAME: Final = "running"
"""Folder for runs that need files; it is there only while the sweep goes on."""


class CellFile:
    """``cells.jsonl``: a line for each cell that has ended, written in one go as soon as it has."""

    def __init__(self, path: Path, keys: tuple[str, ...]) -> None:
        """Open the file, and cut off what a process that was killed has left of a line.

        Args:
            path: The file, which need not be there.
            keys: Keys that vary, for the names of values.

        Raises:
            OSError: It cannot be opened.
            SweepError: Another process has it open.
        """
        self._keys = keys
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = _find_end(path)
            os.ftruncate(self._file, self._end)
        except OSError as error:
            os.close(self._file)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise SweepError(f"{path.parent}: another process is running this sweep; wait for it") from None
            raise

    def __enter__(self) -> Self:
        """Keep it open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, so that others may run the sweep."""
        os.close(self._file)

    def append(self, cell: Cell, outcome: Outcome) -> None:
        """Write the line of a cell.

        Raises:
            OSError: It cannot be written; the lines before it stay whole.
        """
        line = {
            "cell": cell.id,
            "repeat": cell.repeat,
            "seed": cell.seed,
            "values": dict(zip(self._keys, cell.values, strict=True)),
            "figures": outcome.figures,
            "execution": outcome.execution,
            "error": outcome.error,
        }
        if outcome.trace is not None:
            line["trace"] = outcome.trace
        data = with_digest(line)
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._end + done)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self._end += len(data)


def with_digest(line: Mapping[str, Any]) -> bytes:
    """Return the line of a cell, which ends with a digest of what stands before it."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return text[:-1] + _make_seal(text[:-1])


def read_lines(path: Path, damaged: list[int] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file of cells in their order; damaged ones, whose cells run again, are left out.

    Args:
        path: The file.
        damaged: Takes the numbers of lines that are not as they were written.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            read = _open_seal(line)
            if read is not None:
                yield read
            elif damaged is not None:
                damaged.append(number)


def read_finished(path: Path, damaged: list[int] | None = None) -> set[str]:
    """Return the cells that have figures; see `read_lines`."""
    return {line["cell"] for line in read_lines(path, damaged) if line.get("error") is None}


def prepare_folder(out: Path, sweep: Sweep, code_version: str) -> Path:
    """Return the folder of a sweep, made and described if this is the first time.

    Raises:
        OSError: It cannot be made or written.
    """
    folder = out / f"{sweep.name}-{sweep.compute_fingerprint(code_version)}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((SCENARIO_NAME, sweep.scenario_text), (SWEEP_NAME, sweep.to_yaml())):
        write_text_in_one_step(folder / name, text)
    for name, source in list_plugin_files(sweep.list_plugins()).items():
        (folder / PLUGINS_FOLDER).mkdir(exist_ok=True)
        write_in_one_step(folder / PLUGINS_FOLDER / name, partial(_write, source))
    return folder


def _write(source: bytes, path: Path) -> None:
    path.write_bytes(source)


def clear_running(folder: Path) -> Path:
    """Return the empty folder for runs that need files; what killed workers have left there is deleted."""
    running = folder / RUNNING_NAME
    remove_running(folder)
    running.mkdir()
    return running


def remove_running(folder: Path) -> None:
    """Delete the folder for runs that need files."""
    shutil.rmtree(folder / RUNNING_NAME, ignore_errors=True)


def _make_seal(text: bytes) -> bytes:
    """Return the end of a line that begins with some text."""
    return b',"digest":"%s"}\n' % hashlib.sha256(text).hexdigest()[:SEAL_DIGITS].encode()


def _open_seal(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, if it is as it was written."""
    text = line[:-_SEAL_LENGTH]
    if line != text + _make_seal(text):
        return None
    try:
        read = json.loads(text + b"}")
    except ValueError:
        return None
    return read if isinstance(read, dict) and isinstance(read.get("cell"), str) else None


_SEAL_LENGTH: Final = len(_make_seal(b""))


def _find_end(path: Path) -> int:
    """Return where the last whole line ends."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - (1 << 16))
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0
