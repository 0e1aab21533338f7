"""The folder of a report, the command, and that the same input gives the same bytes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.commands.report.picture import Picture
from simulation.commands.report.run_pictures import RUN_PICTURES, draw_run
from simulation.commands.report.sources import read_source
from simulation.commands.report.style import render, styled
from simulation.commands.report.writing import PAGE_NAME, build_files, write_report
from simulation.mechanisms.proof_of_training.pictures import draw_training
from tests.support.reports import forked_run, make_run, write_log, write_run, write_sweep
from tests.support.scenarios import ROOT, made_up_run, note, opening

pytestmark = pytest.mark.drawing

PICTURES = ("training", "blocks", "refusals", "timeline", "coins")


def write_blank(folder: Path) -> Path:
    """Write a run with nothing to draw, for tests that ask only where a report is put and what is said of it."""
    return write_run(folder, [opening(), note("run", "ended", reason="complete")])


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_has_a_page_and_each_picture_twice(tmp_path: Path) -> None:
    page = write_report([read_source(write_run(tmp_path / "run"))], tmp_path / "report")
    files = read_all(page.parent)
    assert set(files) == {PAGE_NAME, *(f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg"))}
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    assert all(b"<svg" in content[:200] for name, content in files.items() if name.endswith("svg"))


def test_pictures_of_several_runs_do_not_overwrite_one_another(tmp_path: Path) -> None:
    sources = [write_run(tmp_path / "a" / "run"), write_log(tmp_path / "b" / "run", forked_run())]
    sources.append(write_sweep(tmp_path / "sweep"))
    files = dict(build_files([read_source(source) for source in sources]))
    assert {"1-blocks.png", "2-blocks.png", "3-01-delivered.svg", "3-02-height.png", PAGE_NAME} <= set(files)
    assert files["1-blocks.png"] != files["2-blocks.png"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    sources = [write_run(tmp_path / "run", forked_run()), write_sweep(tmp_path / "sweep")]
    first = dict(build_files([read_source(source) for source in sources]))
    second = dict(build_files([read_source(source) for source in sources]))
    assert first == second
    assert not any(b"20" + year in content for content in first.values() for year in (b"24-", b"25-", b"26-"))


def test_a_picture_does_not_depend_on_which_file_of_it_is_made_first(tmp_path: Path) -> None:
    run = make_run(tmp_path, forked_run())
    for draw in (draw_training, *RUN_PICTURES):
        with styled():
            first, second = draw(run), draw(run)
        if isinstance(first, Picture) and isinstance(second, Picture):
            files = render(first.figure, "png"), render(first.figure, "svg")
            assert files == tuple(reversed((render(second.figure, "svg"), render(second.figure, "png"))))


@pytest.mark.processes
def test_neither_the_hash_seed_nor_the_user_s_own_style_changes_a_byte(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: pink\nsavefig.dpi: 40\n", "utf-8")
    outputs = []
    for seed, style in (("1", {}), ("2", {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc")})):
        command = [sys.executable, "main.py", "report", str(run), "--out", str(tmp_path / f"out{seed}")]
        environment = {**os.environ, "PYTHONHASHSEED": seed, **style}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, timeout=60, check=True, capture_output=True, text=True
        )
        assert done.stderr == ""
        assert done.stdout == f"{tmp_path / f'out{seed}' / PAGE_NAME}\n"
        outputs.append(read_all(tmp_path / f"out{seed}"))
    assert outputs[0] == outputs[1]


def test_an_earlier_report_is_left_alone(tmp_path: Path) -> None:
    source = read_source(write_blank(tmp_path / "run"))
    pages = [write_report([source], tmp_path / "report") for _ in range(3)]
    assert [page.parent.name for page in pages] == ["report", "report-2", "report-3"]


def test_what_is_half_written_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = read_source(write_run(tmp_path / "run"))
    written: list[Path] = []

    def fill_up(path: Path, data: bytes) -> int:
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        return len(data)

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(OSError, match="No space left"):
        write_report([source], tmp_path / "report")
    assert written
    assert not (tmp_path / "report").exists()


# ---- the command ----


def test_the_command_prints_where_the_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_blank(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr() == ("report/report.html\n", "")
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr() == ("report-2/report.html\n", "")


def test_a_damaged_log_is_said_to_be_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", made_up_run()[:-1])
    assert main(["report", str(run), "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'out' / PAGE_NAME}\n"
    assert captured.err == (
        f"{run / 'events.jsonl'}: cut off: the run's closing line is missing, figures are those so far\n"
    )


def test_bad_input_is_one_sentence_and_exit_2_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, empty = write_run(tmp_path / "run"), tmp_path / "empty"
    empty.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for arguments in ([str(empty)], [str(good), str(empty)], [str(tmp_path / "nowhere")], [str(good), "--out", "."]):
        assert main(["report", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
    assert list(work.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_sentence_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_blank(tmp_path / "run")
    assert main(["report", str(run), "--out", str(run / "events.jsonl" / "report")]) == 1
    captured = capsys.readouterr()
    assert captured.err.endswith("cannot be written: Not a directory; there is no report\n")
    assert captured.err.count("\n") == 1


# ---- the pictures of a run's own folder ----


def test_a_run_leaves_two_of_the_same_pictures_in_its_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert [path.name for path in draw_run(run)] == ["training.png", "chain.png"]
    files = dict(build_files([read_source(run)]))
    assert (run / "training.png").read_bytes() == files["training.png"]
    assert (run / "chain.png").read_bytes() == files["blocks.png"]


def test_a_run_without_anything_to_draw_leaves_no_picture(tmp_path: Path) -> None:
    with styled():
        assert draw_run(write_run(tmp_path, [opening()])) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
