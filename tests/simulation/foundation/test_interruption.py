import signal

import pytest

from simulation.foundation.interruption import Interrupted, Interruption


def send_while_cleaning_up(*signals: int) -> None:
    """Send the first signal, and the others to what cleans up after it."""
    with Interruption():
        try:
            signal.raise_signal(signals[0])
        finally:
            for signum in signals[1:]:
                signal.raise_signal(signum)


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGINT, signal.SIGTERM)])
def test_one_signal_is_raised_where_nothing_has_to_be_put_in_order(signals: tuple[int, ...]) -> None:
    with pytest.raises(Interrupted) as raised:
        send_while_cleaning_up(*signals)
    assert raised.value.exit_code == 130
    assert raised.value.__context__ is None, "a second signal must not hit what cleans up after the first"


def test_there_is_a_way_out_of_cleaning_up() -> None:
    with pytest.raises(Interrupted) as raised:
        send_while_cleaning_up(signal.SIGINT, signal.SIGINT, signal.SIGINT)
    assert isinstance(raised.value.__context__, Interrupted)


def test_an_orderly_run_notes_the_first_signal_and_the_urgency_of_a_second_ctrl_c() -> None:
    with Interruption() as interruption:
        interruption.is_orderly = True
        signal.raise_signal(signal.SIGTERM)
        assert (interruption.signum, interruption.is_urgent) == (signal.SIGTERM, False)
        signal.raise_signal(signal.SIGINT)
        assert (interruption.signum, interruption.is_urgent) == (signal.SIGTERM, True)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)


def test_a_terminal_that_says_twice_that_it_is_closed_is_not_urgent() -> None:
    with Interruption() as interruption:
        interruption.is_orderly = True
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert (interruption.signum, interruption.is_urgent) == (signal.SIGHUP, False)
