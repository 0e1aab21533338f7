"""What blocks cost, in measures that every mechanism has: processor time, tries, signatures, bytes, seconds.

A final block is here one of the chain that most honest nodes have when the run ends. All is counted from the genesis to
the end of the run and divided by their number, so what was spent on other blocks is a cost of these. Nodes are counted,
attackers too; the employer and users only where they send messages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simulation.analysis.compared import ComparedFigure, Measures, measured, show_number, show_share
from simulation.foundation import find_part
from simulation.records import Tally
from simulation.scenario import ENGINE_TRAITS

KIB: Final = 1 << 10


@dataclass(frozen=True, slots=True)
class Usefulness:
    """CPU-seconds that went into something of use besides agreeing on blocks."""

    once_cpu_s: float = 0.0
    """Of work that the chain carries, each piece counted once, however many nodes have done it."""
    again_cpu_s: float = 0.0
    """Of the same work done again by others."""


FindUseful = Callable[[Tally], Usefulness]
"""Finds what was useful, from records alone: a mechanism's part `useful`; where there is none, nothing was."""


def measure_costs(tally: Tally, mechanism: str) -> dict[str, Any] | None:
    """Return what each final block took; None for the run of a version that did not tell what nodes spend."""
    spent = tally.spent
    if not spent.is_known:
        return None
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    find_useful: FindUseful | None = find_part(mechanism, "useful")
    useful = find_useful(tally) if find_useful is not None else Usefulness()
    last = tally.first_appended.get(chain[0]) if chain else None
    blocks = len(chain)
    return {
        "final_blocks": blocks,
        "cpu_s_each": _round(_divide(spent.cpu_s, blocks)),
        "hashes_each": _divide(sum(tally.work.tries.values()), blocks),
        "signatures_made_each": _divide(spent.signed, blocks),
        "signatures_checked_each": _divide(spent.checked, blocks),
        "messages_each": _divide(tally.sent.total(), blocks),
        "bytes_each": _divide(tally.sent_bytes, blocks),
        "seconds_each": _round(_divide(last - tally.genesis_time, blocks)) if last is not None else None,
        "useful_share": _round(_divide(useful.once_cpu_s, spent.cpu_s)),
        "repeated_share": _round(_divide(useful.again_cpu_s, spent.cpu_s)),
    }


def is_uncharged(engine: str, cpu_s: float | None) -> bool:
    """Return whether CPU-seconds are 0 because simulated time charges none: nobody has slow work there."""
    traits = ENGINE_TRAITS.get(engine)
    return cpu_s == 0 and traits is not None and traits.is_simulated


def _show_cpu(tally: Tally, measures: Measures) -> str | None:
    cpu_s = measures.get("cost", {}).get("cpu_s_each")
    return "none charged" if is_uncharged(tally.get_opening().engine, cpu_s) else _CPU_S.show(tally, measures)


_CPU_S: Final = measured("final block: CPU s", "cost.cpu_s_each")

COSTS: Final = (
    measured("final block: seconds", "cost.seconds_each"),
    ComparedFigure(_CPU_S.name, _show_cpu),
    measured("final block: hashes", "cost.hashes_each"),
    measured("final block: signatures made", "cost.signatures_made_each"),
    measured("final block: signatures checked", "cost.signatures_checked_each"),
    measured("final block: KiB sent", "cost.bytes_each", lambda sent: show_number(sent / KIB)),
    measured("CPU time of use", "cost.useful_share", show_share),
    measured("CPU time for work done again", "cost.repeated_share", show_share),
)
"""What blocks cost, as a comparison and a report have it."""


def _divide(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _round(number: float | None) -> float | None:
    return None if number is None else round(number, 9)
