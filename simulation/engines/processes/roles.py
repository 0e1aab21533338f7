"""What each kind of party does in its process. The forkserver loads it once, with what mechanisms have preloaded."""

from collections.abc import Mapping
from multiprocessing.connection import Connection

from protocol.events import BlockAppended, HeadMoved
from protocol.light_client import LightClient
from protocol.rules import Rules
from simulation.attacks import Honest
from simulation.engines import CountingKeys, CountingRules, PartyTools, list_holdings
from simulation.engines.parties import Host, Journals, Recorder, build_node, issue_transfers
from simulation.engines.processes.control import EmployerRole, FinalReport, NodeRole, Role, Setup, UsersRole
from simulation.engines.processes.party import Party, run_party
from simulation.foundation import find_part
from simulation.scenario.world import draw_transfers, make_keys


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
    tools = _build_tools(setup)
    rules, journals = CountingRules(setup.mechanism), Journals(setup.journal_folder, setup.mechanism)
    core, behaviour = build_node(role.spec, rules, is_relaying=setup.is_relaying)
    recorder, journal = Recorder(party.record, setup.labels, rules), journals.open(setup.label)
    host = Host(core, behaviour, party, party.record, recorder, journal=journal)
    party.attach(host, tools.build_workers(role.spec), tools.build_prompt_workers(role.spec))

    def report() -> FinalReport:
        return FinalReport(blocks=host.finish(party.get_cpu_s(), rules.checked))

    party.run(lambda: host.start(party.now()), report)
    journals.close()


def _live_as_employer(party: Party, setup: Setup, role: EmployerRole) -> None:
    desk = _build_tools(setup).build_desk(party.record)
    rules, journals = CountingRules(setup.mechanism), Journals(setup.journal_folder, setup.mechanism)
    core = LightClient(rules, CountingKeys(make_keys(role.key_seed)))
    recorder, journal = Recorder(party.record, setup.labels, rules), journals.open(setup.label)

    def on_block(action: BlockAppended | HeadMoved) -> None:
        if desk is not None:
            desk.measure(action)
        if role.owners is not None:
            head = core.tree.head
            party.tell_holdings(list_holdings(head.height, head.state, role.owners))

    host = Host(core, Honest(), party, party.record, recorder, journal=journal, on_block=on_block)
    party.attach(host, {}, {})

    def report() -> FinalReport:
        if desk is not None:
            desk.save_model(core, role.model_path)
        return FinalReport(blocks=host.finish(party.get_cpu_s(), rules.checked))

    party.run(lambda: host.start(party.now()), report)
    journals.close()


def _build_tools(setup: Setup) -> PartyTools[Setup]:
    tools: type[PartyTools[Setup]] = find_part(setup.mechanism.name, "party_tools") or PartyTools[Setup]
    return tools(setup)


def _live_as_users(party: Party, setup: Setup, role: UsersRole) -> None:
    chain_id = Rules(setup.mechanism).chain_id

    def issue() -> None:
        transfers = draw_transfers(role.plan, chain_id)
        issue_transfers(transfers, chain_id, call_at=party.call_at, broadcast=party.broadcast, record=party.record)

    party.run(issue, FinalReport)
