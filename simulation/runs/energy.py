"""Processor time told as energy: a conversion by one constant, as nothing here measures energy."""

import math

from simulation.scenario import read_constant

NAME = "WATTS_PER_CORE"


def describe_energy(cpu_s: float) -> str:
    """Return the energy of some CPU-seconds in words, or what is wrong with the constant that converts them."""
    watts = read_constant(NAME)
    is_number = isinstance(watts, int | float) and not isinstance(watts, bool)
    if not is_number or not math.isfinite(watts) or watts <= 0:
        return f"no energy: {NAME} in simulation/constants.py is {watts!r}; write a number of watts above 0"
    joules = cpu_s * watts
    shown = f"{joules:,.0f}" if joules >= 100 else f"{joules:.2g}"
    return f"{shown} J at {watts:g} watts a core"
