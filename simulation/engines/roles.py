"""What each kind of party does in its process. This module is loaded into the forkserver once, with Keras in it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from multiprocessing.connection import Connection

import numpy as np

from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.events import BlockAppended
from protocol.job import compute_chain_id
from protocol.light_client import LightClient
from protocol.node import PoTNode
from protocol.types import MICRO_COINS_PER_COIN
from protocol.validation import Rules
from simulation.attacks.behaviours import Honest, build_behaviour
from simulation.attacks.poisoning import apply_poison
from simulation.datasets import ImageSet, open_shared
from simulation.engines.control import EmployerRole, FinalReport, NodeRole, Role, Setup, UsersRole
from simulation.engines.party import Party, Worker, get_chain_bytes, run_party
from simulation.host import SHORT, Host
from simulation.keras_trainer import KerasTrainer, StageOutcome, seed_keras, use_one_thread
from simulation.model_store import Evaluator, WeightsError, WeightStore
from simulation.population import NodeSpec
from simulation.randomness import derive_generator
from simulation.records import DEBUG, INFO, WARNING, Value
from simulation.samples import TrainingSet, compute_initial_weights
from simulation.users import PlannedTransfer, plan_transfers

SHOWN_LOSSES = 10
"""Losses of a stage that its record shows, evenly spaced."""


@dataclass(frozen=True, slots=True)
class _Trained:
    outcome: StageOutcome
    cpu_s: float


class _CpuMeter:
    """CPU-seconds of this process without those of one thread: what training costs while that thread decides."""

    def __init__(self, thread_id: int) -> None:
        self._clock = time.pthread_getcpuclockid(thread_id)

    def read(self) -> float:
        return time.process_time() - time.clock_gettime(self._clock)


def run_role(setup: Setup, role: Role, control: Connection, connections: Mapping[str, Connection]) -> None:
    """Live as the party that the set-up describes, until told to stop."""

    def live(party: Party) -> None:
        match role:
            case NodeRole():
                _live_as_node(party, setup, role)
            case EmployerRole():
                _live_as_employer(party, setup, role)
            case UsersRole():
                _live_as_users(party, setup, role)

    run_party(setup, control, connections, live)


def _live_as_node(party: Party, setup: Setup, role: NodeRole) -> None:
    use_one_thread()
    seed_keras(role.spec.behaviour_seed)
    images = open_shared(setup.dataset_folder, setup.dataset_name)
    trainer = KerasTrainer(setup.genesis.job, build_training_set(images, role.spec), xla=role.xla)
    store = WeightStore(setup.weights_folder)
    meter = _CpuMeter(threading.get_ident())

    def train(stage: int) -> _Trained:
        before = meter.read()
        outcome = trainer.train(stage)
        store.put(outcome.result.weights_digest, outcome.weights)
        return _Trained(outcome, meter.read() - before)

    worker: Worker[int, _Trained] = Worker(train)
    core = PoTNode(Rules(setup.genesis), KeyPair(role.spec.key_seed))
    core.is_relaying = setup.is_relaying
    behaviour = build_behaviour(role.spec.role, derive_generator(role.spec.behaviour_seed, "behaviour"))
    host = Host(core, behaviour, party, party.record, setup.labels)
    party.host = host
    data = "clean" if role.spec.poison is None else "poisoned"

    def start_training(stage: int) -> None:
        party.record(DEBUG, "training", {"stage": stage})
        worker.submit(stage)

    def on_trained() -> None:
        done = worker.take()
        party.record(DEBUG, "trained", {**describe_training(done.outcome), "data": data, "cpu_s": round(done.cpu_s, 6)})
        host.finish_training(done.outcome.result, party.now())

    def report() -> FinalReport:
        host.flush()
        balance = core.tree.head.state.get_account(core.keys.public).balance
        outcome = "finished" if core.tree.head.height == setup.genesis.job.stages else "stopped"
        party.record(INFO, "final", {"outcome": outcome, "balance": balance / MICRO_COINS_PER_COIN})
        return FinalReport(blocks=get_chain_bytes(core))

    party.train = start_training
    party.watch(worker.wake_up, on_trained)
    party.run(lambda: host.start(party.now()), report)


def build_training_set(images: ImageSet, spec: NodeSpec) -> TrainingSet:
    """Return the samples a node trains on: the agreed ones, or its own altered copy."""
    labels = np.asarray(images.y_train)
    if spec.poison is None:
        return TrainingSet(images.x_train, labels)
    altered, rows, stamped = apply_poison(spec.poison, labels, derive_generator(spec.poison_seed, "poison"))
    return TrainingSet(images.x_train, altered, rows, stamped)


def describe_training(outcome: StageOutcome) -> dict[str, Value]:
    """Return the fields that a record of a trained stage has."""
    losses = outcome.losses
    shown = [losses[round(index)] for index in np.linspace(0, len(losses) - 1, min(SHOWN_LOSSES, len(losses)))]
    mean = float(np.mean(losses))
    return {
        "stage": outcome.result.stage,
        "weights": f"0x{outcome.result.weights_digest.hex()[:SHORT]}",
        "steps": len(losses),
        "loss": round(mean, 6) if isfinite(mean) else str(mean),
        "losses": " ".join(f"{loss:.4f}" for loss in shown),
    }


def _live_as_employer(party: Party, setup: Setup, role: EmployerRole) -> None:
    use_one_thread()
    evaluator = Evaluator(setup.genesis.job, open_shared(setup.dataset_folder, setup.dataset_name), role.trigger_class)
    evaluator.evaluate(compute_initial_weights(setup.genesis.job))
    store = WeightStore(setup.weights_folder)
    core = LightClient(Rules(setup.genesis), KeyPair(role.key_seed))
    host = Host(core, Honest(), party, party.record, setup.labels)
    party.host = host

    def on_block(appended: BlockAppended) -> None:
        for record in appended.change.adopted if appended.change else ():
            if record.block is None:
                continue
            try:
                measured = evaluator.evaluate(store.get(record.block.header.weights_digest))
            except WeightsError as error:
                party.record(WARNING, "unevaluated", {"height": record.height, "why": str(error)})
                continue
            fields: dict[str, Value] = {"height": record.height, "block": f"0x{record.hash.hex()[:SHORT]}"}
            fields |= {"accuracy": round(measured.accuracy, 6), "trigger_success": round(measured.trigger_success, 6)}
            recalls = " ".join(f"{recall:.4f}" for recall in measured.recalls)
            party.record(INFO, "evaluated", {**fields, "recalls": recalls})

    def report() -> FinalReport:
        host.flush()
        block = core.tree.head.block
        if block is not None:
            evaluator.save(store.get(block.header.weights_digest), role.model_path)
        outcome = "delivered" if core.is_delivered else "stopped"
        balance = core.tree.head.state.get_account(core.keys.public).balance
        party.record(INFO, "final", {"outcome": outcome, "balance": balance / MICRO_COINS_PER_COIN})
        return FinalReport(blocks=get_chain_bytes(core))

    host.on_block = on_block
    party.run(lambda: host.start(party.now()), report)


def _live_as_users(party: Party, setup: Setup, role: UsersRole) -> None:
    chain_id = compute_chain_id(setup.genesis)
    transfers = plan_transfers(
        role.users,
        chain_id,
        count=role.transactions,
        per_second=role.per_second,
        fee=role.fee,
        seed=role.seed,
    )

    def schedule() -> None:
        transfer = next(transfers, None)
        if transfer is not None:
            party.call_at(transfer.at, lambda: issue(transfer))

    def issue(transfer: PlannedTransfer) -> None:
        frame = encode_frame(chain_id, transfer.transaction)
        copies = party.send(party.get_peers(), frame)
        fields: dict[str, Value] = {"kind": "transaction", "nonce": transfer.transaction.nonce, "to": "all"}
        party.record(INFO, "sent", {**fields, "copies": copies, "bytes": copies * len(frame)}, who=transfer.user)
        schedule()

    party.run(schedule, FinalReport)
