"""What of a chain by stake stands beside other runs, and in a report: in how few hands its blocks lie, and slots."""

from typing import Final

from simulation.analysis import measured, show_share, show_shares

COMPARED: Final = (
    measured("blocks made, by population", "proposed", show_shares),
    measured("Gini of the blocks made", "stake.gini"),
    measured("nodes with half of the blocks", "stake.nakamoto"),
    measured("slots without a block", "stake.missed", show_share),
    measured("stale blocks", "stake.stale", show_share),
    measured("accused of two blocks", "stake.accused"),
)
