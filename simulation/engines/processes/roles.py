"""What each kind of party does in its process. This module is loaded into the forkserver once, with Keras in it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.job import compute_chain_id
from protocol.light_client import LightClient
from protocol.types import Task, WeightsPair
from protocol.validation import Rules
from simulation.attacks.behaviour import Honest
from simulation.engines.parties.building import build_node
from simulation.engines.parties.employer import EmployerDesk
from simulation.engines.parties.host import Host
from simulation.engines.parties.journal import JournalWriter
from simulation.engines.parties.recorder import Notes
from simulation.engines.processes.control import EmployerRole, FinalReport, NodeRole, Role, Setup, UsersRole
from simulation.engines.processes.party import Party, Worker, run_party
from simulation.records.record import INFO, Value
from simulation.scenario.world.transfers import PlannedTransfer, plan_transfers
from simulation.training.canonical_trainer import CanonicalTrainer
from simulation.training.datasets import open_shared
from simulation.training.distances import compare_stored
from simulation.training.evaluation import Evaluator
from simulation.training.keras_trainer import KerasTrainer, seed_keras, use_one_thread
from simulation.training.profiles import CANONICAL
from simulation.training.samples import compute_initial_weights
from simulation.training.trainer import (
    StageOutcome,
    Trainer,
    build_training_set,
    count_trained_steps,
    describe_training,
)
from simulation.training.weight_store import WeightStore


@dataclass(frozen=True, slots=True)
class _Trained:
    outcome: StageOutcome
    base: bytes
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
    job = setup.genesis.job
    steps = count_trained_steps(job, role.spec.poison)
    samples = build_training_set(images, role.spec.poison, role.spec.poison_seed)
    trainer: Trainer
    if role.spec.arithmetic == CANONICAL:
        trainer = CanonicalTrainer(job, samples, steps=steps)
    else:
        trainer = KerasTrainer(job, samples, xla=role.xla, steps=steps)
    store = WeightStore(setup.weights_folder)
    meter = _CpuMeter(threading.get_ident())

    def train(task: Task) -> _Trained:
        before = meter.read()
        outcome = trainer.train(task.stage, store.get(task.base) if task.base else None)
        store.put(outcome.result.weights_digest, outcome.weights)
        return _Trained(outcome, task.base, meter.read() - before)

    worker: Worker[Task, _Trained] = Worker(train)
    rules = Rules(setup.genesis)
    core, behaviour = build_node(role.spec, rules)
    core.is_relaying = setup.is_relaying
    notes = Notes(party.record, setup.labels, rules)
    journal = _open_journal(setup)
    host = Host(core, behaviour, party, party.record, notes, journal=journal)
    party.host = host

    def start_training(stage: int, base: bytes) -> None:
        host.notes.note_training(stage, base)
        worker.submit(Task(stage, base))

    def on_trained() -> None:
        done = worker.take()
        host.notes.note_trained(describe_training(done.outcome, done.cpu_s, is_poisoned=role.spec.poison is not None))
        host.finish_training(done.outcome.result, done.base, party.now())

    party.train = start_training
    party.watch(worker.wake_up, on_trained)
    if setup.genesis.tolerance:
        _compare_beside(party, host, store)
    party.run(lambda: host.start(party.now()), lambda: FinalReport(blocks=host.finish()))
    if journal is not None:
        journal.close()


def _compare_beside(party: Party, host: Host, store: WeightStore) -> None:
    """Let weights be read and compared in a thread of its own: reading them must not hold up the links."""

    def compare(pair: WeightsPair) -> tuple[WeightsPair, int | None]:
        return pair, compare_stored(store, pair.own, pair.other)

    def on_compared() -> None:
        pair, distance = worker.take()
        host.finish_comparison(pair, distance, party.now())

    worker: Worker[WeightsPair, tuple[WeightsPair, int | None]] = Worker(compare)
    party.compare = worker.submit
    party.watch(worker.wake_up, on_compared)


def _open_journal(setup: Setup) -> JournalWriter | None:
    return JournalWriter(setup.journal_folder, setup.label) if setup.journal_folder is not None else None


def _live_as_employer(party: Party, setup: Setup, role: EmployerRole) -> None:
    use_one_thread()
    evaluator = Evaluator(setup.genesis.job, open_shared(setup.dataset_folder, setup.dataset_name), role.trigger_class)
    evaluator.evaluate(compute_initial_weights(setup.genesis.job))
    rules = Rules(setup.genesis)
    core = LightClient(rules, KeyPair(role.key_seed))
    notes = Notes(party.record, setup.labels, rules)
    journal = _open_journal(setup)
    host = Host(core, Honest(), party, party.record, notes, journal=journal)
    party.host = host

    desk = EmployerDesk(evaluator, WeightStore(setup.weights_folder), party.record)

    def report() -> FinalReport:
        desk.save_model(core, role.model_path)
        return FinalReport(blocks=host.finish())

    host.on_block = desk.measure
    party.run(lambda: host.start(party.now()), report)
    if journal is not None:
        journal.close()


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
        copies = party.broadcast(frame)
        fields: dict[str, Value] = {"kind": "transaction", "nonce": transfer.transaction.nonce, "to": "all"}
        party.record(INFO, "sent", {**fields, "copies": copies, "bytes": copies * len(frame)}, who=transfer.user)
        schedule()

    party.run(schedule, FinalReport)
