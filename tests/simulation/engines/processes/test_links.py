import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

from simulation.engines.processes.links import MAX_BACKLOG, MAX_TRANSPORT_BYTES, Link, Links

Pair = tuple[Connection, Connection]
DEADLINE_S = 10.0


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = Pipe()
    yield ours, theirs
    theirs.close()  # ends a writer that waits for room; our end goes with its link, as in a node


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until another thread has made something true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "gave up waiting"
        time.sleep(0.005)


def writers(peer: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"to-{peer}"]


def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    ours, theirs = Link("them", pair[0]), Link("us", pair[1])
    frames = [bytes([index % 256]) * (index * 37 % 5000 + 1) for index in range(500)]
    assert all(ours.send(frame) for frame in frames)
    assert [theirs.receive() for _ in frames] == frames
    assert ours.dropped == 0


def test_both_ends_send_at_once(pair: Pair) -> None:
    """Each first fills the pipe and reads afterwards; with a blocking send both would wait for ever."""
    links = Link("them", pair[0]), Link("us", pair[1])
    frame = bytes(64_000)
    for link in links:
        assert all(link.send(frame) for _ in range(50))
    for link in links:
        assert all(link.receive() == frame for _ in range(50))


def test_a_reader_that_never_reads_does_not_block_and_loses_what_is_beyond_the_backlog(pair: Pair) -> None:
    link = Link("deaf", pair[0])
    frame = bytes(100_000)
    extra = 300
    tried: list[bool] = []
    finished = threading.Event()

    def send() -> None:
        tried.extend(link.send(frame) for _ in range(MAX_BACKLOG + extra))
        finished.set()

    threading.Thread(target=send, daemon=True).start()
    assert finished.wait(DEADLINE_S), "send() waited for a reader"
    assert MAX_BACKLOG <= sum(tried) <= MAX_BACKLOG + 20  # the backlog, and the few that fit into the pipe
    assert link.dropped == len(tried) - sum(tried)


def test_what_was_not_dropped_arrives_once_the_reader_wakes_up(pair: Pair) -> None:
    link = Link("sleepy", pair[0])
    sent = [index for index in range(MAX_BACKLOG + 500) if link.send(index.to_bytes(4, "big") * 20_000)]
    reader = Link("us", pair[1])
    assert [int.from_bytes(reader.receive()[:4], "big") for _ in sent] == sent
    assert link.dropped == MAX_BACKLOG + 500 - len(sent) > 0


def test_a_peer_that_has_gone_is_told_by_the_reading_side(pair: Pair) -> None:
    link = Link("gone", pair[0])
    pair[1].close()
    with pytest.raises((EOFError, OSError)):
        link.receive()


def test_sending_to_a_peer_that_has_gone_harms_nobody(pair: Pair) -> None:
    link = Link("lost", pair[0])
    pair[1].close()
    for _ in range(100):
        link.send(b"frame")
    wait_for(lambda: not writers("lost"))
    link.send(b"frame")


def test_a_frame_beyond_the_transport_limit_ends_the_link(pair: Pair) -> None:
    sender = Link("big", pair[0])
    sender.send(bytes(MAX_TRANSPORT_BYTES + 1))
    with pytest.raises(OSError, match="message"):
        Link("us", pair[1]).receive()


def test_the_longest_frame_the_core_judges_is_carried(pair: Pair) -> None:
    Link("them", pair[0]).send(bytes(MAX_TRANSPORT_BYTES))
    assert len(Link("us", pair[1]).receive()) == MAX_TRANSPORT_BYTES


def test_a_link_that_never_sends_has_no_thread(pair: Pair) -> None:
    Link("quiet", pair[0])
    assert writers("quiet") == []


def test_links_send_to_those_that_are_there_and_count_them() -> None:
    pipes = {name: Pipe() for name in ("a", "b", "c")}
    links = Links({name: pipe[0] for name, pipe in pipes.items()})
    assert links.send(("a", "c", "nobody"), b"1") == 2
    links.remove("c")
    links.remove("nobody")
    assert links.send(("a", "c"), b"2") == 1
    assert [pipes["a"][1].recv_bytes() for _ in range(2)] == [b"1", b"2"]
    assert pipes["c"][1].recv_bytes() == b"1"
    assert not pipes["b"][1].poll()
    assert sorted(link.peer for link in links) == ["a", "b"]
    for pipe in pipes.values():
        pipe[1].close()


def test_links_count_what_all_of_them_dropped(pair: Pair) -> None:
    links = Links({"deaf": pair[0]})
    frame = bytes(100_000)
    went = sum(links.send(("deaf",), frame) for _ in range(MAX_BACKLOG + 100))
    assert links.count_dropped() == MAX_BACKLOG + 100 - went > 0


def test_a_dropped_frame_is_still_counted_when_its_peer_has_gone(pair: Pair) -> None:
    links = Links({"deaf": pair[0]})
    for _ in range(MAX_BACKLOG + 100):
        links.send(("deaf",), bytes(100_000))
    before = links.count_dropped()
    links.remove("deaf")
    assert links.count_dropped() == before > 0
