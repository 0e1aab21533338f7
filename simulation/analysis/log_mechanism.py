"""By which mechanism a run has made its blocks: its records say so, without naming it."""

from contextlib import suppress

from simulation.records import SCENARIO_NAME, RunLog
from simulation.scenario import TRAINING, ScenarioError, read_file
from simulation.training import NO_DATA


def find_log_mechanism(log: RunLog) -> str:
    """Return the mechanism of a run; empty where nothing tells it.

    The scenario beside the log tells it, or else the blocks in it. A run from before the key had training, and so has
    one without blocks that has loaded data.
    """
    with suppress(ScenarioError):
        section = read_file(log.path.with_name(SCENARIO_NAME)).get("mechanism", TRAINING)
        name = section.get("name", TRAINING) if isinstance(section, dict) else section
        return name if isinstance(name, str) else TRAINING
    named = {block.part.mechanism for block in log.tally.blocks.values()} - {None}
    if len(named) == 1:
        return str(named.pop())
    return TRAINING if log.tally.get_opening().dataset != NO_DATA.name else ""
