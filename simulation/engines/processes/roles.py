"""What each kind of party does in its process. This module is loaded into the forkserver once, with Keras in it."""

import threading
from collections.abc import Hashable, Mapping
from multiprocessing.connection import Connection

from protocol.crypto import KeyPair
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training.job import compute_chain_id
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainStage
from protocol.rules import Rules
from simulation.attacks.behaviour import Honest
from simulation.engines.parties.building import build_node
from simulation.engines.parties.employer import EmployerDesk
from simulation.engines.parties.host import Host
from simulation.engines.parties.journal import Journals
from simulation.engines.parties.recorder import Recorder
from simulation.engines.parties.users import issue_transfers
from simulation.engines.processes.control import EmployerRole, FinalReport, NodeRole, Role, Setup, UsersRole
from simulation.engines.processes.node_worker import ComparingWorker, CpuMeter, TrainingWorker
from simulation.engines.processes.party import Party, run_party
from simulation.engines.worker import Worker
from simulation.scenario.world.transfers import draw_transfers
from simulation.training.canonical_trainer import CanonicalTrainer
from simulation.training.datasets import open_shared
from simulation.training.evaluation import Evaluator
from simulation.training.keras_trainer import KerasTrainer, seed_keras, use_one_thread
from simulation.training.profiles import CANONICAL
from simulation.training.samples import compute_initial_weights
from simulation.training.trainer import Trainer, build_training_set, count_trained_steps
from simulation.training.weight_store import WeightStore


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
    store = WeightStore(setup.weights_folder)
    meter, is_poisoned = CpuMeter(threading.get_ident()), role.spec.poison is not None
    workers: dict[type[Hashable], Worker] = {
        TrainStage: TrainingWorker(_build_trainer(setup, role), store, meter, is_poisoned=is_poisoned)
    }
    if setup.genesis.tolerance:
        workers[CompareWeights] = ComparingWorker(store, setup.genesis.tolerance)
    rules, journals = Rules(ProofOfTraining(setup.genesis)), Journals(setup.journal_folder)
    core, behaviour = build_node(role.spec, rules, is_relaying=setup.is_relaying)
    recorder, journal = Recorder(party.record, setup.labels, rules), journals.open(setup.label)
    host = Host(core, behaviour, party, party.record, recorder, journal=journal)
    party.attach(host, workers)
    party.run(lambda: host.start(party.now()), lambda: FinalReport(blocks=host.finish()))
    journals.close()


def _build_trainer(setup: Setup, role: NodeRole) -> Trainer:
    job, spec = setup.genesis.job, role.spec
    images = open_shared(setup.dataset_folder, setup.dataset_name)
    steps = count_trained_steps(job, spec.poison)
    samples = build_training_set(images, spec.poison, spec.poison_seed)
    if spec.arithmetic == CANONICAL:
        return CanonicalTrainer(job, samples, steps=steps)
    return KerasTrainer(job, samples, xla=role.xla, steps=steps)


def _live_as_employer(party: Party, setup: Setup, role: EmployerRole) -> None:
    use_one_thread()
    evaluator = Evaluator(setup.genesis.job, open_shared(setup.dataset_folder, setup.dataset_name), role.trigger_class)
    evaluator.evaluate(compute_initial_weights(setup.genesis.job))
    rules, journals = Rules(ProofOfTraining(setup.genesis)), Journals(setup.journal_folder)
    core = LightClient(rules, KeyPair(role.key_seed))
    desk = EmployerDesk(evaluator, WeightStore(setup.weights_folder), party.record)
    recorder, journal = Recorder(party.record, setup.labels, rules), journals.open(setup.label)
    host = Host(core, Honest(), party, party.record, recorder, journal=journal, on_block=desk.measure)
    party.attach(host, {})

    def report() -> FinalReport:
        desk.save_model(core, role.model_path)
        return FinalReport(blocks=host.finish())

    party.run(lambda: host.start(party.now()), report)
    journals.close()


def _live_as_users(party: Party, setup: Setup, role: UsersRole) -> None:
    chain_id = compute_chain_id(setup.genesis)

    def issue() -> None:
        transfers = draw_transfers(role.plan, chain_id)
        issue_transfers(transfers, chain_id, call_at=party.call_at, broadcast=party.broadcast, record=party.record)

    party.run(issue, FinalReport)
