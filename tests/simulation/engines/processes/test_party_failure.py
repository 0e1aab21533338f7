"""What a user is told when a party's own code fails."""

import shlex
from pathlib import Path

import pytest

from protocol.events import Command, Event, WorkFinished
from protocol.node import Node
from simulation.commands.cli import main


def test_a_node_whose_code_fails_ends_the_run_with_the_command_that_shows_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up training and bundled images, so that neither TensorFlow nor MNIST is needed."""
    monkeypatch.chdir(tmp_path)
    handle = Node.handle

    def fail(node: Node, event: Event, now: int) -> list[Command]:
        if isinstance(event, WorkFinished):
            raise RuntimeError("on purpose")
        return handle(node, event, now)

    settings = ("engine=virtual", "virtual.trainer=fake", "dataset.name=digits", "output.pictures=false")
    arguments = [part for setting in settings for part in ("--set", setting)]
    with monkeypatch.context() as patch:
        patch.setattr(Node, "handle", fail)
        assert main(["run", "honest", *arguments, "--out", str(tmp_path / "a b")]) == 1
    told = capsys.readouterr().err
    assert "RuntimeError: on purpose" in told
    *_, program, command, scenario = shlex.split(told.splitlines()[-1].split("see it again: ")[1])
    assert (program, command) == ("main.py", "run")
    assert main([command, scenario, "--out", str(tmp_path / "again")]) == 0
