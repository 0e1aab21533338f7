import errno
from pathlib import Path

import pytest

from simulation.records.run_files import write_in_one_step


def fail(part: Path) -> None:
    part.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_could_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    with pytest.raises(OSError, match="No space left"):
        write_in_one_step(path, fail)
    assert list(tmp_path.iterdir()) == []
    write_in_one_step(path, lambda part: part.write_bytes(b"whole"))
    with pytest.raises(OSError, match="No space left"):
        write_in_one_step(path, fail)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("summary.json", b"whole")]
