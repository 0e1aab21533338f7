"""What a run shows: figures, the formulas they are held against, and what must hold."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.analysis.after_run import (
        estimate_patience_s,
        find_broken,
        find_standstill,
        is_exact,
        must_agree,
        must_progress,
    )
    from simulation.analysis.chain_walk import find_last_state, find_supply_fault, walk_chain
    from simulation.analysis.closed_forms import CLOSED_FORM, predict
    from simulation.analysis.compared import (
        ComparedFigure,
        Measures,
        list_compared,
        measured,
        show_number,
        show_share,
        show_shares,
    )
    from simulation.analysis.comparison import build_frame, build_tables
    from simulation.analysis.costs import COSTS, Usefulness, is_uncharged
    from simulation.analysis.during_run import InvariantMonitor, find_settled_depth
    from simulation.analysis.finality import describe_finality, find_final_rivals
    from simulation.analysis.journeys import estimate_journey_ms
    from simulation.analysis.log_mechanism import find_log_mechanism
    from simulation.analysis.measures import (
        PLUGIN_MEASURES,
        WORK,
        compute_measures,
        find_best,
        measure_blocks,
        measure_detection,
    )
    from simulation.analysis.promises import Obstacle, Promises, find_promises
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "after_run": "estimate_patience_s find_broken find_standstill is_exact must_agree must_progress",
            "chain_walk": "find_last_state find_supply_fault walk_chain",
            "closed_forms": "CLOSED_FORM predict",
            "compared": "ComparedFigure Measures list_compared measured show_number show_share show_shares",
            "comparison": "build_frame build_tables",
            "costs": "COSTS Usefulness is_uncharged",
            "during_run": "InvariantMonitor find_settled_depth",
            "finality": "describe_finality find_final_rivals",
            "journeys": "estimate_journey_ms",
            "log_mechanism": "find_log_mechanism",
            "measures": "PLUGIN_MEASURES WORK compute_measures find_best measure_blocks measure_detection",
            "promises": "Obstacle Promises find_promises",
        },
    )

__all__ = [
    "CLOSED_FORM",
    "COSTS",
    "PLUGIN_MEASURES",
    "WORK",
    "ComparedFigure",
    "InvariantMonitor",
    "Measures",
    "Obstacle",
    "Promises",
    "Usefulness",
    "build_frame",
    "build_tables",
    "compute_measures",
    "describe_finality",
    "estimate_journey_ms",
    "estimate_patience_s",
    "find_best",
    "find_broken",
    "find_final_rivals",
    "find_last_state",
    "find_log_mechanism",
    "find_promises",
    "find_settled_depth",
    "find_standstill",
    "find_supply_fault",
    "is_exact",
    "is_uncharged",
    "list_compared",
    "measure_blocks",
    "measure_detection",
    "measured",
    "must_agree",
    "must_progress",
    "predict",
    "show_number",
    "show_share",
    "show_shares",
    "walk_chain",
]
