"""Golden scripts: what a small network does, word for word, as a text to read and to review.

``python -m tests.protocol.test_scripts --rewrite`` writes the transcripts anew, and shows what is different.
"""

import sys
from pathlib import Path

import pytest

from tests.support.scripts import ScriptError, compare, play

FOLDER = Path(__file__).parents[1] / "scripts"
SCRIPTS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_does_what_its_script_says(path: Path) -> None:
    script = path.read_text("utf-8")
    difference = compare(script, play(script), path.name)
    assert not difference, f"\n{difference}"


def test_there_is_a_script_for_each_course_a_round_can_take() -> None:
    names = {path.stem for path in SCRIPTS}
    assert names == {"round", "equivocation", "dead_header", "catch_up", "tolerance", "reorganisation"}


def test_a_transcript_that_says_something_else_is_shown_line_by_line() -> None:
    script = (FOLDER / "equivocation.txt").read_text("utf-8")
    forged = script.replace("rejected declaration of 4: equivocation", "accepted declaration of 4")
    assert forged != script
    lines = compare(forged, play(forged), "forged").splitlines()
    assert [line for line in lines[2:] if line.startswith("-")] == ["-  *: accepted declaration of 4"]
    assert [line for line in lines[2:] if line.startswith("+")] == ["+  *: rejected declaration of 4: equivocation"]


@pytest.mark.parametrize("script", ["run to=1", "nodes 4\nhop", "nodes 4\nrun to=1 by=2", "nodes 4\nhide nothing"])
def test_a_script_that_nobody_understands_is_refused(script: str) -> None:
    with pytest.raises(ScriptError):
        play(script)


if __name__ == "__main__" and sys.argv[1:] == ["--rewrite"]:
    for file in SCRIPTS:
        before = file.read_text("utf-8")
        after = play(before)
        if after != before:
            file.write_text(after, "utf-8")
            sys.stdout.write(compare(before, after, file.name) + "\n")
