"""Ways to run the same parties."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.engines.caching_rules import CachingRules
    from simulation.engines.counting_rules import CountingKeys, CountingRules
    from simulation.engines.engine import Engine, EngineFactory, EngineSetup
    from simulation.engines.holdings import Holdings, list_holdings, name_owners
    from simulation.engines.link_rules import HEADER, MAX_TRANSPORT_BYTES, STALL_NS
    from simulation.engines.network_model import NetworkModel, Planner
    from simulation.engines.result import EngineResult, EngineStartError, PartyError
    from simulation.engines.table import ENGINES, find_engine
    from simulation.engines.tools import Desk, PartyTools, VirtualTools
    from simulation.engines.worker import ChargingWorker, PromptWorker, WorkDone, Worker
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "caching_rules": "CachingRules",
            "counting_rules": "CountingKeys CountingRules",
            "engine": "Engine EngineFactory EngineSetup",
            "holdings": "Holdings list_holdings name_owners",
            "link_rules": "HEADER MAX_TRANSPORT_BYTES STALL_NS",
            "network_model": "NetworkModel Planner",
            "result": "EngineResult EngineStartError PartyError",
            "table": "ENGINES find_engine",
            "tools": "Desk PartyTools VirtualTools",
            "worker": "ChargingWorker PromptWorker WorkDone Worker",
        },
    )

__all__ = [
    "ENGINES",
    "HEADER",
    "MAX_TRANSPORT_BYTES",
    "STALL_NS",
    "CachingRules",
    "ChargingWorker",
    "CountingKeys",
    "CountingRules",
    "Desk",
    "Engine",
    "EngineFactory",
    "EngineResult",
    "EngineSetup",
    "EngineStartError",
    "Holdings",
    "NetworkModel",
    "PartyError",
    "PartyTools",
    "Planner",
    "PromptWorker",
    "VirtualTools",
    "WorkDone",
    "Worker",
    "find_engine",
    "list_holdings",
    "name_owners",
]
