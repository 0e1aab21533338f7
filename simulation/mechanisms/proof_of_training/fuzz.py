"""Firing at a node that trains: its phases, its made-up training, and blocks that everybody they name cheats for."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from protocol.events import ChainRecord, Command, StartWork
from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.mechanism import as_training, get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainedBlock, WrappedBlock
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.work import TrainStage
from protocol.messages import Message
from protocol.node import Node
from simulation.commands.checks.fuzzing import TARGET, Forge, FuzzKit, Way, is_readable
from simulation.engines import ChargingWorker, WorkDone
from simulation.mechanisms.proof_of_training.colluding_block import build_colluding_block, wrap_as_colluders
from simulation.scenario.world import World
from simulation.training import FakeTrainer

TRAINING_NS: Final = 500_000_000
"""How long a stage takes every node but the victim."""

WEIGHTS: Final = {Phase.TRAINING: 1, Phase.DECLARING: 4, Phase.SIGNING: 8, Phase.FINISHED: 1}
"""How much fire there is in each phase: those in which little happens take most of the time."""


class MadeUpTraining:
    """Trains at once, and takes a time of its own for it."""

    def __init__(self, trainer: FakeTrainer, cost_ns: int) -> None:
        """Take what makes results up, and how long a stage takes."""
        self._trainer = trainer
        self._cost_ns = cost_ns

    def perform(self, task: Hashable) -> WorkDone:
        """Train a stage.

        Raises:
            TypeError: That is not the task.
        """
        if not isinstance(task, TrainStage):
            raise TypeError(f"made-up training cannot do {task!r}")
        return WorkDone(self._trainer.train(task.stage).result, None)

    def charge(self, task: Hashable) -> int:
        """Return how long a stage takes."""
        return self._cost_ns


class TrainingFuzz(FuzzKit):
    """Knows who trains what, and what colluders can sign."""

    trainer: FakeTrainer
    """What all nodes train."""
    training_ns: int
    """How long a stage takes the victim."""

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return a short job, and rules that so few nodes can fulfil."""
        confidence = rng.choice([{"count": rng.randint(1, 3)}, {"stake_share": 0.4}])
        return {
            "job": {"steps_per_stage": 8, "stages": rng.randint(2, 4)},
            "protocol": {
                "confidence": confidence,
                "stakeholders": rng.randint(2, 3),
                "slot_ms": rng.choice([100.0, 500.0]),
                "declarations_per_slot": 3.0,
                "headers_per_slot": rng.choice([0.5, 1.0]),
                "max_transactions": 3,
                "rules": rng.choice([1, 2, 2]),
            },
        }

    def prepare(self, rng: Random, world: World) -> None:
        """Draw how fast the victim is."""
        self.trainer = FakeTrainer(as_training(world.mechanism).genesis.job, "clean")
        self.training_ns = rng.choice((100_000_000, 500_000_000, 3_000_000_000))

    def build_workers(self, world: World) -> Mapping[str, ChargingWorker]:
        """Return what trains for each node."""
        costs = {spec.label: self.training_ns if spec.label == TARGET else TRAINING_NS for spec in world.nodes}
        return {label: MadeUpTraining(self.trainer, cost_ns) for label, cost_ns in costs.items()}

    def weigh(self, node: Node) -> int:
        """Return how much fire there is in the phase that a node is in."""
        return WEIGHTS[get_phase(node)]

    def list_named(self, mechanism: Mechanism) -> tuple[type[Message], ...]:
        """Return headers and blocks; nobody refers to declarations or signatures by their hash."""
        return BlockHeader, WrappedBlock

    def list_ways(self, forge: Forge) -> Sequence[Way]:
        """Return blocks that all have signed whom it takes."""
        return (
            Way("block with other transfers", 4, lambda: rewrap(forge)),
            Way("block all stakeholders cheat for", 5, lambda: collude(forge)),
        )

    def is_fetching(self, command: Command) -> bool:
        """Return whether a command starts the training of the stage that a message is about."""
        return isinstance(command, StartWork) and isinstance(command.task, TrainStage)

    def find_fault(self, record: ChainRecord) -> str | None:
        """Return that a block holds other weights than honest nodes train, if it does."""
        if not isinstance(record.block, WrappedBlock):
            return None
        if record.block.header.weights_digest == self.trainer.train(record.height - 1).result.weights_digest:
            return None
        return f"a block of height {record.height} does not hold the honest training"


def rewrap(forge: Forge) -> msgspec.Struct:
    """Return a block of the same stage and stakeholders with other transfers, of whoever may choose them."""
    blocks, rules = forge.seen.find(WrappedBlock), forge.rules
    if not blocks:
        return forge.seen.pick()
    block, chosen = forge.rng.choice(blocks), forge.draw_transfers()
    if isinstance(block, TrainedBlock):
        secrets = defaultdict(bytes, {item.author: item.training_secret for item in block.signatures})
        secrets[block.author] = block.training_secret
        return wrap_as_colluders(rules, forge.keys, block.header, chosen, secrets)
    stakeholders = (*(item.author for item in block.signatures), block.author)
    stakes = rules.origin.state.stakes  # those of the genesis, for ever
    coinbase = get_training(rules).build_coinbase(block.header, stakeholders, chosen, stakes)
    return forge.sign_as_author(msgspec.structs.replace(block, transactions=chosen, coinbase=coinbase))


def collude(forge: Forge) -> msgspec.Struct:
    """Return a block of a changed header that everybody it names has signed."""
    blocks = forge.seen.find(WrappedBlock)
    if not blocks:
        return forge.seen.pick()
    header = forge.alter(forge.rng.choice(blocks).header)
    bonded = forge.rules.origin.state.stakes.owners
    is_known = isinstance(header.author, bytes) and header.author in bonded
    return build_colluding_block(forge.rules, forge.keys, header) if is_known and is_readable(header) else header


def get_phase(node: Node) -> Phase:
    """Return the phase a training node is in.

    Raises:
        TypeError: It does not train.
    """
    if not isinstance(node.proposer, TrainingProposer):
        raise TypeError("not a training node")
    return node.proposer.phase
