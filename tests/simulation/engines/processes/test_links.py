import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

from simulation.engines.link_rules import MAX_TRANSPORT_BYTES
from simulation.engines.processes.framing import FramingError
from simulation.engines.processes.link import MAX_BACKLOG, MAX_BACKLOG_BYTES, Link
from simulation.engines.processes.links import Links
from simulation.records import Dropped, Fact, LinkClosed, Stalled, Unlinked

Pair = tuple[Connection, Connection]
DEADLINE_S = 10.0
LARGE = bytes(1 << 20)
GIBIBYTE = 1 << 30


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = Pipe()
    yield ours, theirs
    for end in (ours, theirs):
        end.close()


def header(size: int) -> bytes:
    return struct.pack("!I", size)


def exchange(link: Link, condition: Callable[[], bool], *others: Link) -> None:
    """Let ends write and read as their owners would, until something holds; nothing here waits for a pipe."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "gave up waiting"
        for each in (link, *others):
            if each.is_behind:
                each.write()
            each.read()


def receive(link: Link, *others: Link) -> bytes:
    exchange(link, lambda: link.is_due, *others)
    return link.take()


# ---- one link ----


def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    ours, theirs = Link("them", pair[0]), Link("us", pair[1])
    frames = [b"", *(bytes([index % 256]) * (index * 37 % 5000 + 1) for index in range(500)), b""]
    assert all(ours.send(frame) for frame in frames)
    assert [receive(theirs, ours) for _ in frames] == frames
    assert (ours.dropped, ours.is_behind) == (0, False)


def test_both_ends_send_at_once(pair: Pair) -> None:
    """Each first fills the pipe and reads afterwards; with a blocking send both would wait for ever."""
    links = Link("them", pair[0]), Link("us", pair[1])
    frame = bytes(64_000)
    for link in links:
        assert all(link.send(frame) for _ in range(50))
    for link in links:
        assert all(receive(link, *links) == frame for _ in range(50))


def test_the_format_is_that_of_connections(pair: Pair) -> None:
    link = Link("them", pair[0])
    pair[1].send_bytes(b"from a connection")
    assert receive(link) == b"from a connection"
    link.send(b"to a connection")
    assert pair[1].recv_bytes() == b"to a connection"


@pytest.mark.parametrize("sent", [b"\0", header(100), header(100) + bytes(99), header(MAX_TRANSPORT_BYTES) + bytes(9)])
def test_half_a_frame_keeps_nobody_waiting(sent: bytes, pair: Pair) -> None:
    link = Link("half", pair[0])
    os.write(pair[1].fileno(), sent)
    for _ in range(3):
        link.read()
    assert not link.is_due
    assert link.unfinished == len(sent)


def test_a_frame_that_comes_byte_by_byte_is_whole_at_its_last(pair: Pair) -> None:
    link = Link("slow", pair[0])
    sent = header(3) + b"abc"
    for position in range(len(sent)):
        assert not link.is_due
        os.write(pair[1].fileno(), sent[position : position + 1])
        link.read()
    assert link.take() == b"abc"
    assert link.unfinished == 0


def test_a_stop_in_the_middle_of_a_frame_is_told_once_each_time(pair: Pair) -> None:
    link = Link("half", pair[0])
    told = []
    for sent in (b"", header(9), b"", b"", b"1234", b"", b"", b"56789", b"", header(1)):
        os.write(pair[1].fileno(), sent)
        link.read()
        told.append(link.note_stall())
    assert told == [False, False, True, False, False, True, False, False, False, False]


def test_a_sender_that_is_not_read_keeps_at_most_a_chunk_beyond_a_frame(pair: Pair) -> None:
    """Frames that nobody has taken stay in the pipe, where they hold up their sender and nobody else."""
    link = Link("eager", pair[0])
    os.set_blocking(pair[1].fileno(), False)
    with suppress(BlockingIOError):
        while os.write(pair[1].fileno(), header(10) + bytes(10)):
            pass
    for _ in range(100):
        link.read()
    assert link.unfinished <= 1 << 16


def test_a_reader_that_never_reads_takes_a_bounded_number_of_bytes(pair: Pair) -> None:
    link = Link("deaf", pair[0])
    tried = [link.send(LARGE) for _ in range(100)]
    most = MAX_BACKLOG_BYTES // len(LARGE)
    assert most - 1 <= sum(tried) <= most + 1  # a part of one is in the pipe
    assert tried == sorted(tried, reverse=True)
    assert (link.dropped, link.dropped_bytes) == (100 - sum(tried), (100 - sum(tried)) * len(LARGE))


def test_a_reader_that_never_reads_takes_a_bounded_number_of_frames(pair: Pair) -> None:
    link = Link("deaf", pair[0])
    while not link.is_behind:
        link.send(b"small")
    assert sum(link.send(b"small") for _ in range(MAX_BACKLOG + 300)) == MAX_BACKLOG - 1
    assert link.dropped == 301


def test_frames_under_way_count_among_those_that_wait(pair: Pair) -> None:
    link = Link("far", pair[0])
    held = sum(link.hold(LARGE) for _ in range(100))
    assert held == MAX_BACKLOG_BYTES // len(LARGE)
    assert (link.dropped, link.send(LARGE)) == (100 - held, False)
    assert all(link.send_held(LARGE) for _ in range(held - 1))
    reader = Link("us", pair[1])
    assert all(receive(reader, link) == LARGE for _ in range(held - 1))
    assert sum(link.hold(LARGE) for _ in range(100)) == held - 1


def test_what_was_not_dropped_arrives_once_the_reader_wakes_up(pair: Pair) -> None:
    link, reader = Link("sleepy", pair[0]), Link("us", pair[1])
    sent = [index for index in range(MAX_BACKLOG) if link.send(index.to_bytes(4, "big") * 20_000)]
    assert [int.from_bytes(receive(reader, link)[:4], "big") for _ in sent] == sent
    assert link.dropped == MAX_BACKLOG - len(sent) > 0
    assert link.send(b"again")
    assert receive(reader, link) == b"again"


def test_a_peer_that_has_gone_is_told_by_the_reading_side(pair: Pair) -> None:
    link = Link("gone", pair[0])
    pair[1].close()
    with pytest.raises(EOFError):
        link.read()


def test_sending_to_a_peer_that_has_gone_harms_nobody(pair: Pair) -> None:
    link = Link("lost", pair[0])
    pair[1].close()
    assert not any(link.send(b"frame") for _ in range(100))
    assert (link.is_behind, link.dropped) == (False, 0)


def test_a_peer_that_closes_its_end_for_reading_is_still_heard(pair: Pair) -> None:
    link = Link("deaf", pair[0])
    with socket.socket(fileno=os.dup(pair[1].fileno())) as end:
        end.shutdown(socket.SHUT_RD)
    assert not link.send(b"frame")
    pair[1].send_bytes(b"hear me")
    assert receive(link) == b"hear me"


@pytest.mark.parametrize("size", [MAX_TRANSPORT_BYTES + 1, GIBIBYTE, 2**32 - 1])
def test_a_frame_beyond_the_transport_limit_is_known_by_its_length(size: int, pair: Pair) -> None:
    link = Link("big", pair[0])
    os.write(pair[1].fileno(), header(2) + b"ok" + header(size) + b"rest")
    assert receive(link) == b"ok"
    with pytest.raises(FramingError) as raised:
        link.take()
    assert raised.value.announced == size


def test_the_longest_frame_is_carried(pair: Pair) -> None:
    link, reader = Link("them", pair[0]), Link("us", pair[1])
    link.send(bytes(MAX_TRANSPORT_BYTES))
    assert len(receive(reader, link)) == MAX_TRANSPORT_BYTES


# ---- all links of a party ----


class Owner:
    """A party as far as its links are concerned."""

    def __init__(self, *peers: str) -> None:
        pipes = {peer: Pipe() for peer in peers}
        self.far = {peer: pipe[1] for peer, pipe in pipes.items()}
        self.selector = selectors.DefaultSelector()
        self.heard: list[tuple[str, bytes]] = []
        self.facts: list[Fact] = []
        self.links = Links(
            {peer: pipe[0] for peer, pipe in pipes.items()},
            self.selector,
            receive=self._receive,
            record=self.facts.append,
        )
        self.on_frame: Callable[[], object] = lambda: None
        """What the party does about a frame."""
        self.links.open()

    def _receive(self, peer: str, frame: bytes) -> None:
        self.heard.append((peer, frame))
        self.on_frame()

    def write(self, peer: str, *chunks: bytes) -> None:
        for chunk in chunks:
            os.write(self.far[peer].fileno(), chunk)

    def turn(self) -> None:
        """Do what a party does between two waits."""
        for key, events in self.selector.select(0):
            key.data(events)
        self.links.deliver()

    def live(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, "gave up waiting"
            self.turn()


@pytest.fixture
def owner() -> Iterator[Owner]:
    made = Owner("a", "b", "c")
    yield made
    made.selector.close()
    for end in made.far.values():
        end.close()


def test_frames_are_sent_to_those_that_are_there(owner: Owner) -> None:
    assert owner.links.send(("a", "c", "nobody"), b"1") == 2
    owner.far["c"].close()
    owner.turn()
    assert owner.links.send(("a", "c"), b"2") == 1
    assert [owner.far["a"].recv_bytes() for _ in range(2)] == [b"1", b"2"]
    assert not owner.far["b"].poll()


def test_neighbours_take_turns(owner: Owner) -> None:
    """One who has sent much at once keeps nobody waiting, and all of it arrives without anything new in its pipe."""
    for _ in range(5):
        owner.far["a"].send_bytes(b"much")
    owner.far["b"].send_bytes(b"little")
    owner.turn()
    assert sorted(owner.heard) == [("a", b"much"), ("b", b"little")]
    assert owner.links.is_due
    owner.live(lambda: not owner.links.is_due)
    assert owner.heard.count(("a", b"much")) == 5


def test_a_link_that_announces_too_much_is_closed_and_the_others_go_on(owner: Owner) -> None:
    owner.write("a", header(5) + b"hello" + header(GIBIBYTE) + bytes(100))
    owner.far["b"].send_bytes(b"hello")
    owner.live(lambda: bool(owner.facts) and len(owner.heard) == 2)
    assert sorted(owner.heard) == [("a", b"hello"), ("b", b"hello")]
    assert owner.facts == [LinkClosed(peer="a", announced=GIBIBYTE)]
    assert owner.links.send(("a", "b"), b"on") == 1
    with pytest.raises((EOFError, ConnectionResetError)):
        owner.far["a"].recv_bytes()


def test_a_peer_that_goes_in_the_middle_of_a_frame_is_told_from_one_that_just_goes(owner: Owner) -> None:
    owner.write("a", header(100) + bytes(10))
    for peer in ("a", "b"):
        owner.far[peer].close()
    owner.live(lambda: len(owner.facts) == 2)
    assert set(owner.facts) == {Unlinked("a", unfinished=14), Unlinked("b")}
    assert owner.heard == []


FRAGMENT = header(100) + bytes(10)


def test_a_link_that_is_ended_carries_its_last_bytes_and_nothing_more(owner: Owner) -> None:
    assert owner.links.send(("a",), b"whole") == 1
    under_way = owner.links.hold("a", b"late")
    assert under_way is not None
    assert owner.links.end("a", FRAGMENT, is_closing=False)
    under_way()
    assert owner.links.send(("a", "b"), b"on") == 1
    assert not owner.links.end("a", FRAGMENT, is_closing=True)
    owner.far["b"].send_bytes(b"hello")
    owner.far["a"].send_bytes(b"still heard")
    owner.live(lambda: len(owner.heard) == 2)
    assert os.read(owner.far["a"].fileno(), 1_000) == header(5) + b"whole" + FRAGMENT
    owner.links.record_dropped()
    assert owner.facts == []


def test_a_link_is_closed_once_its_last_bytes_are_written(owner: Owner) -> None:
    """What waits for room in the pipe goes before them."""
    frames = [bytes([number]) * 100_000 for number in range(20)]
    assert all(owner.links.send(("a",), frame) for frame in frames)
    assert owner.links.end("a", FRAGMENT, is_closing=True)
    got = bytearray()

    def read_all() -> None:
        while chunk := os.read(owner.far["a"].fileno(), 1 << 16):
            got.extend(chunk)

    reader = threading.Thread(target=read_all)
    reader.start()
    owner.live(lambda: not reader.is_alive())
    reader.join()
    assert bytes(got) == b"".join(header(len(frame)) + frame for frame in frames) + FRAGMENT
    assert owner.links.send(("a", "b"), b"on") == 1
    assert owner.facts == []


def test_links_may_be_closed_in_answer_to_a_frame(owner: Owner) -> None:
    """Frames that others have sent by then are not taken, and nothing fails."""
    for peer in ("a", "b"):
        owner.far[peer].send_bytes(b"hello")
        owner.far[peer].send_bytes(b"again")
    owner.on_frame = lambda: [owner.links.end(peer, FRAGMENT, is_closing=True) for peer in ("a", "b")]
    owner.live(lambda: bool(owner.heard) and not owner.links.is_due)
    assert len(owner.heard) == 1
    assert owner.links.send(("a", "b"), b"on") == 0


def test_links_may_be_closed_while_others_are_ready(owner: Owner) -> None:
    """Training that is done wakes the party like a link; what it does then may close links that were found ready."""
    ready, signal_end = os.pipe()
    os.write(signal_end, b"!")
    try:
        for peer in ("a", "b"):
            owner.far[peer].send_bytes(b"hello")
        end = owner.links.end
        owner.selector.register(
            ready, selectors.EVENT_READ, lambda _: [end(peer, b"", is_closing=True) for peer in "ab"]
        )
        keys = sorted(owner.selector.select(0), key=lambda found: found[0].fd != ready)
        assert len(keys) == 3
        for key, events in keys:
            key.data(events)
    finally:
        os.close(ready)
        os.close(signal_end)
    assert (owner.heard, owner.facts) == ([], [])


def test_a_stalled_peer_is_told_and_heard_when_it_goes_on(owner: Owner) -> None:
    owner.write("a", header(6) + b"abc")
    owner.write("b", b"\0")
    owner.turn()
    for _ in range(4):
        owner.links.note_stalls()
    assert owner.facts == [Stalled(peer="a", received=7, announced=6), Stalled(peer="b", received=1)]
    owner.write("a", b"def")
    owner.live(lambda: bool(owner.heard))
    assert owner.heard == [("a", b"abcdef")]


def test_what_waits_for_a_slow_reader_is_written_when_there_is_room(owner: Owner) -> None:
    frames = [bytes([number]) * 100_000 for number in range(20)]
    assert all(owner.links.send(("a", "b"), frame) == 2 for frame in frames)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.extend(owner.far["a"].recv_bytes() for _ in frames))
    reader.start()
    owner.live(lambda: len(got) == len(frames))
    reader.join()
    assert got == frames


def test_what_a_deaf_neighbour_loses_is_counted_for_it_alone_even_when_it_has_gone(owner: Owner) -> None:
    went = sum(owner.links.send(("a",), LARGE) for _ in range(50))
    assert owner.links.send(("a", "b"), LARGE) == 1
    owner.far["a"].close()
    owner.live(lambda: owner.facts == [Unlinked("a")])
    owner.links.record_dropped()
    assert owner.facts[1:] == [Dropped(peer="a", frames=51 - went, bytes=(51 - went) * len(LARGE))]


def test_a_frame_under_way_to_a_peer_that_has_gone_is_lost(owner: Owner) -> None:
    send = owner.links.hold("a", b"late")
    assert send is not None
    owner.far["a"].close()
    owner.live(lambda: bool(owner.facts))
    assert not send()
    assert owner.links.hold("a", b"later") is None
