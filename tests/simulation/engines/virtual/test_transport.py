"""Frames that are offered: a copy that finds no room does not keep out the others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from simulation.attacks.behaviour import SendFragment
from simulation.engines.virtual.queue import EventQueue
from simulation.engines.virtual.transport import FrameTransport

LINKS = {"flooded": 1_000_000, "honest": 2_000_000, "slow": 3_000_000}
"""Nanoseconds from each sender to the victim."""


class Party:
    """Takes note of frames; what comes over a flooded link finds no room."""

    is_up = True

    def __init__(self, label: str, full: tuple[str, ...] = ()) -> None:
        self.label = label
        self.full = full
        self.heard: list[str] = []
        self.declined = 0
        self.parts: list[tuple[str, SendFragment]] = []
        self._seen: set[bytes] = set()
        self._turned_away = b""

    def has_seen(self, frame_hash: bytes) -> bool:
        return frame_hash in self._seen

    def has_turned_away(self, frame_hash: bytes) -> bool:
        return frame_hash == self._turned_away

    def receive(self, source: str, frame: bytes) -> None:
        self.heard.append(source)
        if source in self.full:
            self._turned_away = frame
        else:
            self._seen.add(frame)

    def receive_fragment(self, source: str, fragment: SendFragment) -> None:
        self.parts.append((source, fragment))

    def record_declined(self, count: int) -> None:
        self.declined += count


def carry(full: tuple[str, ...], *, stale: bool = False) -> tuple[Party, list[int]]:
    """Let three neighbours offer one frame at once; return the victim, and how many of each it declined."""

    def get_planner(label: str) -> Callable[[str, int, int], tuple[int, ...]]:
        return lambda target, size, now: (now + LINKS[label],)

    queue = EventQueue()
    network: Any = SimpleNamespace(least_ns=1, get_planner=get_planner)
    transport = FrameTransport(queue, network, lambda frame: frame)
    victim = Party("victim", full)
    if stale:
        victim.receive = lambda source, frame: victim.heard.append(source)  # type: ignore[method-assign]
    transport.register("victim", victim)
    senders = [transport.register(label, Party(label)) for label in LINKS]
    declined = [transport.send(sender, [0], b"frame") for sender in senders]
    queue.schedule(100_000_000, queue.stop)
    queue.run(100)
    return victim, declined


@pytest.mark.parametrize(
    ("full", "heard"),
    [
        ((), ["flooded"]),
        (("flooded",), ["flooded", "honest"]),
        (("flooded", "honest"), ["flooded", "honest", "slow"]),
        (tuple(LINKS), list(LINKS)),
    ],
)
def test_a_frame_that_found_no_room_is_brought_by_the_next_neighbour_that_had_it(
    full: tuple[str, ...], heard: list[str]
) -> None:
    victim, declined = carry(full)
    assert declined == [0, 1, 1]
    assert victim.heard == heard


def test_a_frame_that_was_only_ignored_is_not_brought_again() -> None:
    victim, _ = carry((), stale=True)
    assert victim.heard == ["flooded"]


# ---- parts of frames ----


@pytest.mark.parametrize(("arrivals", "at"), [((), None), ((7,), 7), ((9, 4), 4)])
def test_a_part_of_a_frame_arrives_once_or_never(arrivals: tuple[int, ...], at: int | None) -> None:
    """A link carries nothing after it, so a second copy is none."""
    queue = EventQueue()
    network: Any = SimpleNamespace(least_ns=1, get_planner=lambda label: lambda target, size, now: arrivals)
    transport = FrameTransport(queue, network, lambda frame: frame)
    victim, absent = Party("victim"), Party("absent")
    absent.is_up = False
    for party in (victim, absent):
        transport.register(party.label, party)
    fragment = SendFragment(100, bytes(10), is_closing=False, label="half")
    transport.send_fragment(transport.register("bad", Party("bad")), [0, 1], fragment)
    seen: list[int] = []
    for now in range(10):
        queue.schedule(now, lambda: seen.append(len(victim.parts)))
    queue.schedule(100, queue.stop)
    queue.run(100)
    assert victim.parts == ([] if at is None else [("bad", fragment)])
    assert seen.count(0) == (10 if at is None else at)
    assert absent.parts == []
