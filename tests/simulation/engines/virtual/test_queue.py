from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engines.virtual.queue import EventQueue, SchedulingError

times = st.integers(0, 10**15)


def run_all(queue: EventQueue) -> None:
    while len(queue):
        queue.run_one()


def nothing() -> None:
    """Stand for something that happens."""


@given(st.lists(st.integers(0, 20), max_size=60))
def test_things_happen_in_order_of_time_and_ties_in_the_order_they_were_scheduled(moments: list[int]) -> None:
    queue, seen = EventQueue(), list[tuple[int, int]]()
    for number, at in enumerate(moments):
        queue.schedule(at, partial(lambda at, number: seen.append((at, number)), at, number))
    run_all(queue)
    assert seen == sorted((at, number) for number, at in enumerate(moments))


def test_what_is_scheduled_for_now_comes_after_what_was_there_already() -> None:
    queue, seen = EventQueue(), list[str]()

    def first() -> None:
        seen.append("first")
        queue.schedule(queue.now, lambda: seen.append("child"))

    queue.schedule(5, first)
    queue.schedule(5, lambda: seen.append("second"))
    queue.schedule(6, lambda: seen.append("later"))
    run_all(queue)
    assert seen == ["first", "second", "child", "later"]


@given(st.lists(times, min_size=1, max_size=20))
def test_the_clock_never_goes_back_and_stands_at_the_time_of_what_happens(moments: list[int]) -> None:
    queue, clock = EventQueue(), list[int]()
    delays = [abs(a - b) for a, b in zip(moments, reversed(moments), strict=True)]

    def note(at: int) -> None:
        assert queue.now == at
        clock.append(queue.now)
        if delays:
            later = queue.now + delays.pop()
            queue.schedule(later, partial(note, later))

    for at in moments:
        queue.schedule(at, partial(note, at))
    run_all(queue)
    assert clock == sorted(clock)
    assert len(clock) == queue.count == 2 * len(moments)


@given(times, st.integers(1, 10**15))
def test_scheduling_in_the_past_is_an_error_that_names_both_times(now: int, early: int) -> None:
    queue = EventQueue()
    queue.schedule(now, nothing)
    queue.run_one()
    with pytest.raises(SchedulingError, match=rf"{now - early} ns: it is already {now} ns"):
        queue.schedule(now - early, nothing)
    assert len(queue) == 0


def test_scheduling_before_the_genesis_is_an_error() -> None:
    with pytest.raises(SchedulingError):
        EventQueue().schedule(-1, nothing)


@pytest.mark.parametrize("at", [7, 8, 10**18])
def test_scheduling_after_the_end_is_an_error_that_says_when_it_ended(at: int) -> None:
    queue = EventQueue()
    queue.schedule(7, nothing)
    queue.schedule(9, nothing)
    queue.run_one()
    queue.close()
    assert len(queue) == 0
    with pytest.raises(SchedulingError, match=rf"{at} ns: the run ended at 7 ns"):
        queue.schedule(at, nothing)


@given(st.lists(times, max_size=20))
def test_the_queue_tells_how_much_there_is(moments: list[int]) -> None:
    queue = EventQueue()
    for at in moments:
        queue.schedule(at, nothing)
    for taken, at in enumerate(sorted(moments)):
        assert (len(queue), queue.count) == (len(moments) - taken, taken)
        queue.run_one()
        assert queue.now == at
    assert len(queue) == 0


def test_nothing_to_happen_is_an_error() -> None:
    with pytest.raises(IndexError):
        EventQueue().run_one()


def test_the_number_of_an_action_is_known_while_it_is_taken_and_after_it_failed() -> None:
    queue, numbers = EventQueue(), list[int]()

    def fail() -> None:
        numbers.append(queue.count)
        raise ValueError("on purpose")

    actions: list[Callable[[], None]] = [lambda: numbers.append(queue.count), fail]
    for at, action in enumerate(actions):
        queue.schedule(at, action)
    queue.run_one()
    with pytest.raises(ValueError, match="on purpose"):
        queue.run_one()
    assert (numbers, queue.count, queue.now) == ([1, 2], 2, 1)


@given(st.lists(st.integers(0, 3 << 20), min_size=1, max_size=40), st.integers(1, 5))
def test_taking_many_at_once_is_taking_them_one_by_one(moments: list[int], portion: int) -> None:
    def record(queue: EventQueue) -> list[tuple[int, int]]:
        seen = list[tuple[int, int]]()

        def note(at: int) -> None:
            seen.append((queue.now, queue.count))
            if at % 3 == 0:
                queue.schedule(at + 1 + (at << 3), partial(seen.append, (at, -1)))

        for at in moments:
            queue.schedule(at, partial(note, at))
        return seen

    one, many = EventQueue(), EventQueue()
    seen_one, seen_many = record(one), record(many)
    run_all(one)
    while len(many):
        many.run(min(portion, len(many)))
    assert seen_many == seen_one


def test_stop_ends_a_portion_before_the_next_action() -> None:
    queue = EventQueue()
    queue.schedule(1, queue.stop)
    queue.schedule(1, nothing)
    assert queue.run(10)
    assert (queue.count, len(queue)) == (1, 1)
