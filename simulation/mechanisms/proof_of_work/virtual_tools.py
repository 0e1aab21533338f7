"""The tools of miners in simulated time."""

from protocol.mechanisms.proof_of_work.mechanism import get_work_genesis
from simulation.engines import EngineSetup, VirtualTools
from simulation.foundation import derive_generator
from simulation.mechanisms.proof_of_work.hashing import SimulatedMiner, compute_speed
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario.world import NodeSpec


class WorkTools(VirtualTools[EngineSetup]):
    """Gives each node a miner of its own power."""

    def build_worker(self, spec: NodeSpec) -> SimulatedMiner:
        """Return what looks for a node's nonces; where it draws, its generator is the node's own."""
        world = self.setup.world
        keys, genesis = as_work_keys(world.scenario.mechanism), get_work_genesis(world.mechanism)
        is_drawn, speed = genesis.proof == "stand_in", compute_speed(spec)
        return SimulatedMiner(
            keys.hash_rate * speed,
            keys.count_slice(speed, power=keys.measure_power(world.scenario)),
            hash_name=genesis.hash_name,
            generator=derive_generator(world.scenario.seed, "work", spec.label) if is_drawn else None,
        )
