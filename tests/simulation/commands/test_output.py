"""Standard output that is closed, full or not read: one sentence, and a run goes on without it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.commands.output import GuardedOutput
from tests.support.scenarios import ROOT

FULL = Path("/dev/full")
TOLD = "standard output: cannot be written: No space left on device; "

RUN = ("run", "honest", "--engine", "virtual", "--set", "virtual.trainer=fake", "--set", "output.pictures=false")


def write_much(output: GuardedOutput, *, is_optional: bool) -> None:
    with output:
        output.is_optional = is_optional
        for _ in range(100):
            print("x" * 1000)  # noqa: T201


@pytest.mark.parametrize(("is_optional", "code"), [(False, 1), (True, 0)])
def test_a_full_disk_is_told_once_and_fails_only_what_was_to_be_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_optional: bool, code: int
) -> None:
    full = FULL.open("w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", full)
    output = GuardedOutput()
    write_much(output, is_optional=is_optional)
    assert sys.stdout is full
    assert output.judge(0) == code
    assert output.judge(2) == 2
    assert capsys.readouterr().err.startswith(TOLD)
    full.close()  # nothing is held back any more that could fail again


def test_a_reader_that_has_had_enough_ends_a_listing_and_not_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_optional in (False, True):
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
        monkeypatch.setattr(sys, "stdout", stream)
        output = GuardedOutput()
        if is_optional:
            write_much(output, is_optional=True)
        else:
            with pytest.raises(BrokenPipeError) as caught:
                write_much(output, is_optional=False)
            assert caught.value.errno == errno.EPIPE
        assert output.judge(0) == 0
        stream.close()


def test_a_closed_output_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output = GuardedOutput()
    write_much(output, is_optional=False)
    assert output.judge(0) == 0
    assert sys.stdout is None


def start(*arguments: str, before: str = "", cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the program from a shell, as somebody does who redirects its output."""
    command = f'{before} "{sys.executable}" "{ROOT / "main.py"}" "$@"'
    shell = ["/bin/sh", "-c", command, "sh", *arguments]
    return subprocess.run(shell, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.processes
@pytest.mark.parametrize(("redirection", "code", "told"), [("exec >&-;", 0, ""), ("exec >/dev/full;", 1, TOLD)])
def test_the_program_lists_scenarios_to_an_output_that_takes_nothing(redirection: str, code: int, told: str) -> None:
    done = start("scenarios", before=redirection)
    assert (done.returncode, done.stderr.partition("nothing more")[0]) == (code, told)


@pytest.mark.processes
def test_a_run_is_not_ended_by_a_full_output(tmp_path: Path) -> None:
    done = start(*RUN, "--set", "job.stages=1", before="exec >/dev/full;", cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, f"{TOLD}the rest is not shown")
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "summary.json").is_file()


@pytest.mark.processes
def test_a_run_without_any_standard_stream_keeps_its_files_whole(tmp_path: Path) -> None:
    done = start(*RUN, "--set", "job.stages=1", before="exec <&- >&- 2>&-;", cwd=tmp_path)
    assert done.returncode == 0
    (log,) = tmp_path.glob("runs/*/pot_sim.log")
    assert " run run " in log.read_text("utf-8").splitlines()[0]


def test_a_working_directory_that_was_deleted_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["scenarios"]) == 2
    assert capsys.readouterr().err == "the working directory: No such file or directory; go to another one\n"
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("error", "told"), [(MemoryError(), "not enough memory"), (ImportError("libx.so: cannot map"), "libx.so")]
)
def test_what_the_machine_does_not_give_is_one_sentence(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("simulation.api.shipped.list_shipped", fail)
    assert main(["scenarios"]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.processes
@pytest.mark.drawing
def test_a_misspelt_backend_of_matplotlib_keeps_nobody_from_drawing_files() -> None:
    code = "import simulation.commands.report.style as style; print(style.make_figure(3).axes)"
    environment = {**os.environ, "MPLBACKEND": "nonsense", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "[]\n"
