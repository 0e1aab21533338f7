"""What a run leaves behind where its pictures, or the disk, fail it."""

import errno
from pathlib import Path

import pytest

from simulation.commands.checks.verify import verify_run
from tests.support.stored_runs import draw_something, make_small, read_summary, run_made_up


def fail_to_draw(folder: Path) -> None:
    (folder / "chain.png").write_bytes(b"drawn before it failed")
    raise ValueError("no such\nbackend")


def test_a_run_without_its_pictures_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_made_up(tmp_path, make_small(), fail_to_draw)
    told = capsys.readouterr().err
    assert told.startswith(f"{folder}: no pictures: no such backend; ")
    assert told.count("\n") == 1
    assert verify_run(folder, is_retraining=False, say=lambda line: None) == []


def test_the_summary_lies_there_before_anything_is_drawn(tmp_path: Path) -> None:
    seen: list[set[str]] = []

    def look_and_draw(folder: Path) -> None:
        seen.append(set(read_summary(folder)["files"]))
        draw_something(folder)

    folder = run_made_up(tmp_path, make_small(), look_and_draw)
    assert seen == [{"scenario.yaml", "pot_sim.log", "events.jsonl", "chain.jsonl", "certificate.json"}]
    assert set(read_summary(folder)["files"]) == seen[0] | {"chain.png", "training.png"}


def test_a_full_disk_leaves_no_half_of_a_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text = Path.write_text

    def write_half(path: Path, text: str, encoding: str | None = None) -> int:
        if "chain.jsonl" not in path.name:
            return write_text(path, text, encoding)
        write_text(path, text[: len(text) // 2], encoding)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="No space left"):
        run_made_up(tmp_path, make_small())
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"scenario.yaml", "pot_sim.log", "events.jsonl"}
