"""What a user sees of a run by work: tries and blocks, and nothing of training."""

import re

from rich.console import Console

from simulation.runs.closing_tables import print_summary
from simulation.runs.in_memory import MemoryRun
from simulation.runs.live_view import LiveView
from simulation.runs.mechanism_view import find_view
from simulation.runs.summary import build_summary
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw
from tests.support.scenarios import opening

FOREIGN = re.compile("model|accuracy|train|stage|poison|data set")


def test_a_run_by_work_is_told_in_tries_and_blocks_and_not_in_models() -> None:
    run = MemoryRun(Scenario.model_validate(make_raw(("slow", 1, 1.0), ("fast", 2, 4.0), seed=3)))
    chains = run.run().chains
    tally, view = run.tally, find_view("proof_of_work")
    tally.add(opening(engine="virtual"))
    summary = {**build_summary(run.world, tally, chains["employer"], 0), "broken_invariant": None}
    console = Console(width=120, force_terminal=False)
    summary["cost"] |= {"wall_s": 1.0, "cpu_s": 1.0, "memory_pss_mb_max": 1.0}
    with console.capture() as captured:
        console.print(LiveView(console, tally, "title", 6, mechanism=view, is_counted=False)._render("phase", 1.0))
        print_summary(console, tally, summary, view=view, rules=None, folder="runs/it")
    shown = captured.get()
    assert not FOREIGN.search(shown)
    work = tally.work
    by_fast = sum(work.tries[f"fast-{index}"] for index in range(2))
    assert re.search(rf"\n +fast +honest +2 +{by_fast:,} +\d+ ", shown)
    assert re.search(rf"\n +work +{sum(work.tries.values()):,} tries", shown)
    assert "drawn and not made; the last block takes 9,000 on average" in shown
