"""Energy is told as what it is: CPU-seconds times a constant, which is named."""

import pytest

from simulation import constants
from simulation.runs.energy import describe_energy


def test_processor_time_becomes_joules_at_so_many_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "WATTS_PER_CORE", 4)
    assert describe_energy(2.5) == "10 J at 4 watts a core"
    assert describe_energy(1000.0) == "4,000 J at 4 watts a core"


@pytest.mark.parametrize("value", ["10", 0, -1.0, float("nan"), True, None])
def test_what_is_no_number_of_watts_is_said(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "WATTS_PER_CORE", value)
    told = describe_energy(2.5)
    assert told.startswith(f"no energy: WATTS_PER_CORE in simulation/constants.py is {value!r}; write")
