"""What of hashing stands beside other runs, and in a report: whose the blocks are, and which came to nothing."""

from typing import Final

from simulation.analysis import ComparedFigure, measured, show_share, show_shares


def list_power() -> tuple[ComparedFigure, ...]:
    """Return what is told wherever nonces are looked for."""
    return (
        measured("blocks made, by population", "proposed", show_shares),
        measured("hashes tried, by population", "work.power", show_shares),
        measured("stale blocks", "work.stale", show_share),
    )


def _show_spends(spends: dict[str, int]) -> str | None:
    return f"{spends['undone']} of {spends['paid']}" if spends["paid"] else None


def _show_ties(ties: dict[str, int]) -> str | None:
    return f"{ties['count']:,}" if ties["count"] else None


COMPARED: Final = (
    *list_power(),
    measured("heights with rivals", "work.contested", show_share),
    measured("ties with attackers", "work.ties", _show_ties),
    measured("double spends that succeed", "work.double_spends", _show_spends),
)
