"""Measures and pictures from a file stand in the summary, the folder and a report of their runs, and are held again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.commands import cli
from simulation.commands.report.run_pictures import PLUGIN_PICTURES
from simulation.foundation.plugin_table import put_in_force
from tests.simulation.plugins.material import find_example, save_lab, write

BOTH = find_example("A measure").python + find_example("A picture").python


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def run(folder: Path, source: str, *, pictures: bool = False) -> int:
    write(folder, source)
    file = save_lab(folder, virtual={"trainer": "fake"}, output={"pictures": pictures})
    return cli.main(["run", str(file), "--out", str(folder / "runs"), "--quiet"])


@pytest.mark.drawing
def test_they_are_there_and_verified_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, BOTH, pictures=True) == 0
    folder = Path(capsys.readouterr().out.strip())
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    sent = sum(summary["messages"]["sent"].values())
    assert summary["measures"]["chatter"] == {"messages": sent, "bytes": summary["messages"]["bytes"]}
    assert "sent.png" in summary["files"]
    put_in_force(())
    assert cli.main(["verify", str(folder), "--trust-plugins"]) == 0
    put_in_force(())
    assert PLUGIN_PICTURES.list_names() == ()
    chosen = ["--plugin", str(tmp_path / "my_lab.py")]
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "own"), *chosen]) == 0
    assert (tmp_path / "own" / "sent.svg").exists()
    assert "Messages sent" in (tmp_path / "own" / "report.html").read_text("utf-8")


def test_an_edited_measure_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, find_example("A measure").python) == 0
    folder = Path(capsys.readouterr().out.strip())
    path = folder / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary["measures"]["chatter"]["messages"] += 1
    path.write_text(json.dumps(summary), "utf-8")
    assert cli.main(["verify", str(folder), "--trust-plugins"]) == 1
    assert "measures.chatter.messages" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("return 1 / 0", "my_lab.py:7: ZeroDivisionError: division by zero"),
        (
            "return float('nan')",
            "the measure 'chatter' returned nan; return a finite number, a text",
        ),
        ("return [1, 2]", "the measure 'chatter' returned [1, 2]; return a finite number"),
    ],
)
def test_what_no_summary_can_hold_ends_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], after: str, told: str
) -> None:
    source = find_example("A measure").python.partition("    return")[0]
    assert run(tmp_path, f"\n{source}    {after}\n") == 1
    assert told in capsys.readouterr().err


@pytest.mark.drawing
def test_a_picture_that_fails_leaves_the_run_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = find_example("A picture").python.replace("return figure", "return 3")
    assert run(tmp_path, source, pictures=True) == 0
    assert "no pictures: " in capsys.readouterr().err
