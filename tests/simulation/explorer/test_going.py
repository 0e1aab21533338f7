"""Runs in processes of their own, as the page starts them."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

import simulation as pot
from simulation.explorer import going
from simulation.explorer.desk import BusyError, Desk
from simulation.explorer.following import BEFORE_ALL
from simulation.explorer.pace import Pace
from simulation.foundation import SPAWN

pytestmark = pytest.mark.processes

LONG = {"mechanism.length": 4000, "run.time_limit_s": 1e7}
PATIENCE_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it is not after a minute."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def desk(fresh: Desk) -> Iterator[Desk]:
    """Return a desk whose run is over after the test."""
    yield fresh
    fresh.close()


def test_a_run_is_watched_halted_and_stopped(desk: Desk) -> None:
    run = desk.start(pot.load("stake_bft", LONG, engine="virtual"))
    with pytest.raises(BusyError, match="goes on; stop it"):
        desk.start(pot.load("stake_bft"))
    wait_until(lambda: run.snapshot is not None and run.snapshot.height > 0)
    run.set_pace(0.0)
    assert run.snapshot is not None
    shown = run.updates
    wait_until(lambda: run.updates > shown)  # it says where it is before it waits
    halted = run.snapshot
    assert 0 < halted.height < halted.length
    assert halted.phase == "halted"
    assert halted.holdings is not None
    is_at_its_block = re.search(r"\bemployer +appended\b", halted.latest) is not None  # its coins are counted next
    assert halted.holdings.height == halted.height - is_at_its_block
    assert sum(halted.holdings.named.values()) + halted.holdings.of_others == halted.holdings.supply
    run.step(is_to_block=True)
    wait_until(lambda: run.snapshot is not None and run.snapshot.blocks[-1].height == halted.blocks[-1].height + 1)
    run.step(is_to_block=False)
    assert run.pace == 0.0
    assert {node.role for node in halted.nodes} == {"honest"}
    assert len(halted.blocks) >= halted.height - 1
    run.set_pace(None)
    wait_until(lambda: run.snapshot is not None and run.snapshot.height > halted.height)
    run.stop()
    assert run.wait(PATIENCE_S)
    assert run.error is None
    assert run.folder is not None
    assert pot.open_run(run.folder).ended == "interrupted"
    assert run.folder.parent == Path("runs")


def test_a_run_that_is_halted_from_the_beginning_shows_where_it_is_and_each_step(desk: Desk) -> None:
    run = desk.start(pot.load("stake_bft", LONG, engine="virtual"), pace=0.0)
    wait_until(lambda: run.snapshot is not None)
    begun = run.snapshot
    assert begun is not None
    assert (begun.phase, begun.seconds, begun.latest, begun.blocks) == (BEFORE_ALL, 0.0, "", ())
    assert {node.role for node in begun.nodes} == {"honest"}
    told = {""}
    for _ in range(2):
        run.step(is_to_block=False)
        wait_until(lambda: run.snapshot is not None and run.snapshot.latest not in told)
        assert run.snapshot is not None
        assert run.snapshot.phase == "halted"
        told.add(run.snapshot.latest)
    run.stop()
    assert run.wait(PATIENCE_S)


def test_a_run_that_nobody_stops_ends_by_itself_and_holds(desk: Desk) -> None:
    run = desk.start(pot.load("bft_equivocator", {"mechanism.length": 3}))
    assert run.wait(PATIENCE_S)
    assert run.folder is not None
    assert pot.verify(run.folder)
    assert run.snapshot is not None
    assert run.snapshot.height == run.snapshot.length
    assert run.snapshot.holdings is not None
    assert run.snapshot.holdings.height == run.snapshot.height
    assert pot.open_run(run.folder).figures.messages.rejected == run.snapshot.refused
    assert sum(run.snapshot.links.values()) == sum(run.snapshot.refused.values())
    run.stop()  # what is over takes no orders
    run.set_pace(1.0)
    run.end()
    assert run.error is None


def test_what_keeps_a_run_from_starting_is_told_in_its_sentence(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("runs").touch()
    monkeypatch.setattr("signal.signal", lambda *handler: None)  # it is not in a process of its own here
    ours, theirs = SPAWN.Pipe()
    going._run(theirs, pot.load("stake_bft", engine="virtual"), Path("runs"))
    kind, sentence = ours.recv()
    assert kind == "failed"
    assert sentence.endswith("cannot be made: Not a directory; choose another --out")


def test_a_run_ends_in_order_when_its_page_has_gone(fresh: Desk) -> None:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(
        target=going._run, args=(theirs, pot.load("stake_bft", LONG, engine="virtual"), Path("runs"))
    )
    process.start()
    theirs.close()
    _take_until_begun(ours)
    ours.close()
    process.join(PATIENCE_S)
    assert process.exitcode == 0
    (folder,) = Path("runs").iterdir()
    assert pot.open_run(folder).ended == "interrupted"


def _take_until_begun(pipe: Connection) -> None:
    while True:
        kind, snapshot = pipe.recv()
        assert kind == "snapshot"
        if snapshot.height:
            return


def test_a_run_whose_process_is_killed_is_told_of(desk: Desk) -> None:
    run = desk.start(pot.load("stake_bft", LONG, engine="virtual"))
    wait_until(lambda: run.snapshot is not None)
    run._process.kill()
    assert run.wait(PATIENCE_S)
    assert run.error is not None
    assert "exit code -9" in run.error


def test_who_waits_for_simulated_time_goes_on_when_it_may() -> None:
    pace, calls = Pace(), Heard()
    pace.wait(5.0, calls)  # never held up
    assert calls == []
    pace.set(0.0)
    thread = threading.Thread(target=pace.wait, args=(5.0, calls))
    thread.start()
    wait_until(lambda: calls == [(5.0, True)])
    pace.set(None)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    pace.set(0.0)
    pace.end()
    pace.wait(6.0, calls)
    assert calls == [(5.0, True)]


def test_slowed_time_goes_on_while_nothing_happens() -> None:
    pace, calls = Pace(10.0), Heard()
    pace.wait(3.0, calls)
    begun = time.monotonic()
    pace.wait(8.0, calls)
    assert time.monotonic() - begun >= 0.5
    times = [seconds for seconds, _ in calls]
    assert times == sorted(times)
    assert 3.0 <= times[0] < times[-1] <= 8.0
    assert {is_halted for _, is_halted in calls} == {False}


def test_steps_go_to_the_next_record_or_the_next_new_block() -> None:
    pace, calls = Pace(0.0), Heard()
    records = [(1.0, False), (2.0, False), (3.0, True), (4.0, False)]

    def live() -> None:
        for at, is_block in records:
            pace.wait(at, calls, is_block=is_block)

    thread = threading.Thread(target=live)
    thread.start()
    wait_until(lambda: calls == [(1.0, True)])
    pace.step(is_to_block=False)
    wait_until(lambda: calls[1:] == [(2.0, True)])
    pace.step(is_to_block=True)
    wait_until(lambda: calls[2:] == [(3.0, True)])
    pace.set(None)
    thread.join(PATIENCE_S)
    assert calls[3:] == []


class Heard(list[tuple[float, bool]]):
    """What is told meanwhile."""

    def __call__(self, seconds: float, *, is_halted: bool) -> None:
        self.append((seconds, is_halted))
