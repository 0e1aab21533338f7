"""A mechanism in one file, with an attacker of its own, runs on both engines; nothing of it is imported here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.mechanisms import list_mechanisms
from simulation.commands import cli
from simulation.engines.table import ENGINES
from simulation.foundation import plugin_table
from simulation.foundation.plugin_loading import hash_source
from simulation.foundation.plugin_table import put_in_force
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from tests.simulation.plugins.material import MUMBLER, find_example, write
from tests.support.scenarios import ROOT

ENDING = find_example("A mechanism").python
TURNS = f"{(ROOT / 'tests' / 'round_robin' / 'mechanism.py').read_text('utf-8')}\n\n{ENDING}".replace(
    '"round_robin"', '"turns"'
)
FAILING = MUMBLER.replace("return () if", "return 1 / 0 if")
PAID = "return self.build_coinbase(block.author, block.height, block.transactions)"
LINES = """
from simulation.runs import ChainLines


class Lines(ChainLines):
    def list_deeds(self, block):
        return 1 / 0


register_mechanism"""
JUDGED = "return ACCEPT if is_its_turn else Reject(TurnReason.NOT_ITS_TURN)"
HEAVY = {"processes": pytest.mark.processes}


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def save_turns(folder: Path, *, engine: str, share: float) -> Path:
    write(folder, TURNS, "turns.py")
    file = folder / "scenario.yaml"
    file.write_text(
        f"""
name: turns
description: owners take turns, one of them mumbles
plugins: [turns.py, my_lab.py]
engine: {engine}
mechanism: {{name: turns, length: 4}}
protocol: {{slot_ms: 100.0}}
populations:
  - {{name: honest, role: honest, count: 2}}
  - {{name: bad, role: adversary, count: 1, behaviours: [{{kind: mumbler, share: {share}}}]}}
users: {{count: 0, transactions: 0}}
run: {{time_limit_s: 60.0}}
output: {{pictures: false}}
""",
        "utf-8",
    )
    return file


@pytest.mark.parametrize("engine", [pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def test_it_runs_and_is_verified_by_its_own_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine=engine, share=0.0)
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert (summary["ended"], summary["chain"]["height"]) == ("complete", 4)
    put_in_force(())
    assert "turns" not in list_mechanisms()
    assert cli.main(["verify", str(folder), "--trust-plugins"]) == 0


def forget(*files: Path) -> None:
    """Forget plug-ins, as a new process would."""
    put_in_force(())
    for file in files:
        plugin_table._loaded.pop(hash_source(file.read_bytes()), None)


def test_what_a_chain_says_is_told_by_whoever_allows_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    own, turns = write(tmp_path, f"{MUMBLER}\n# looked up\n"), write(tmp_path, f"{TURNS}\n# looked up\n", "turns.py")
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 0
    folder = capsys.readouterr().out.strip()
    allowed = ["--plugin", str(own), "--plugin", str(turns)]
    for command, options, code, told in (
        (["audit", folder], allowed, 0, "made the block"),
        (["block", folder, "1"], ["--trust-plugins"], 0, "made the block"),
        (["transaction", folder, "1"], ["--trust-plugins"], 2, "there is no such transaction in the chain"),
    ):
        forget(own, turns)
        assert cli.main(command) == 2
        err = capsys.readouterr().err
        assert "plugins/turns.py: a plug-in of this run, and its code would be executed; read it, then add" in err
        assert (err.count("\n"), "turns" in list_mechanisms()) == (1, False)
        assert cli.main([*command, *options]) == code
        assert told in "".join(capsys.readouterr())
    assert cli.main(["audit", folder, "--plugin", str(tmp_path / "other.py")]) == 2
    assert "other.py: cannot be read: No such file or directory" in capsys.readouterr().err
    forget(own, turns)
    assert cli.main(["audit", folder, *allowed[:2]]) == 2
    assert f"plugins/turns.py: a plug-in of this run, and {own} is another version of it" in capsys.readouterr().err


def test_what_a_plugin_raises_in_a_command_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    source = TURNS.replace("\nregister_mechanism", LINES).replace('"genesis": ', '"chain_lines": Lines, "genesis": ')
    write(tmp_path, source, "turns.py")
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 0
    assert cli.main(["audit", capsys.readouterr().out.strip(), "--trust-plugins"]) == 1
    err = capsys.readouterr().err
    assert (err.count("\n"), "turns.py:" in err, "ZeroDivisionError: division by zero" in err) == (1, True, True)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("lab", "turns", "told"),
    [
        (FAILING, TURNS, r"bad-0 failed: \S+/my_lab\.py:27: ZeroDivisionError: division by zero; see it again: "),
        (
            MUMBLER,
            TURNS.replace(JUDGED, "return 1 / 0"),
            r"\S+ failed: \S+/turns\.py:\d+: ZeroDivisionError: division by zero; see",
        ),
    ],
    ids=["behaviour", "mechanism"],
)
def test_what_a_plugin_raises_in_a_process_ends_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lab: str, turns: str, told: str
) -> None:
    write(tmp_path, lab)
    file = save_turns(tmp_path, engine="processes", share=1.0)
    write(tmp_path, turns, "turns.py")
    assert cli.main(["run", str(file), "--out", str(tmp_path)]) == 1
    assert re.search(told, capsys.readouterr().err)
    (log,) = tmp_path.glob("turns-*/pot_sim.log")
    assert re.search(r" (bad|honest)-\d crashed ", log.read_text("utf-8"))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (JUDGED, "return 1 / 0", "ZeroDivisionError: division by zero"),
        (JUDGED, "return True", "RoundRobin.judge_proof returned a bool; return Accept or Ignore or Reject or Wait"),
        (
            "return self.build_coinbase(block",
            "return (1,) or (block",
            "RoundRobin.compute_coinbase returned a int among payouts",
        ),
        ("return Sealer(self, node)", "return None", "RoundRobin.make_proposer returned a NoneType; return Proposer"),
        ("return RoundRobin(Round", "return (Round", "the genesis of the mechanism 'turns' is a RoundRobinGenesis"),
    ],
)
def test_what_it_does_wrong_in_a_node_ends_the_run_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, told: str
) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    assert before in TURNS
    write(tmp_path, TURNS.replace(before, after), "turns.py")
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert re.search(rf"turns\.py:\d+: {re.escape(told)}", err)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"turns"', '"proof_of_work"', "there is a mechanism called 'proof_of_work' already; give it another name"),
        ('"genesis": build', '"geneses": build', "the mechanism 'turns' has a part 'geneses'; did you mean 'genesis'?"),
        (', "genesis": build_genesis', "", "the mechanism 'turns' needs the part genesis"),
        ("    genesis_type: ", "    genesis_kind: ", "RoundRobin must declare genesis_type, a subclass of Struct"),
        ("    block = Seal", "    brick = Seal", "RoundRobin must declare block, a subclass of AnyBlock"),
        ("(Transaction, SealedBlock, ", "(Transaction, ", "RoundRobin.messages must have its block, SealedBlock"),
        ("register_mechanism(RoundRobin", "register_mechanism(Sealer", "Sealer is no subclass of Mechanism"),
        ('"turns"', '"my turns"', "'my turns' names no mechanism: write 1 to 40 lower-case letters, digits or _"),
        ("def judge_proof", "def judge_prof", "must define the method judge_proof; is judge_prof meant to be it?"),
        ("def make_proposer", "def propose", "RoundRobin must define the method make_proposer"),
        ("context: Context[object], block:", "block:", "RoundRobin.judge_proof must take (self, context, block)"),
        ("reasons: ClassVar = Turn", "reasons: ClassVar = dict  # Turn", "must be a subclass of Reason"),
        ("    kind: ClassVar[str] = BLOCK_KIND", "", "write kind: ClassVar[str] = BLOCK_KIND in SealedBlock"),
        ("    parent: Hash32\n", "", "RoundRobin.block must have a field parent, as every block has"),
        (", HeadAnnouncement, BlockRequest,", ", BlockRequest,", "messages must have HeadAnnouncement, which every"),
        ("BlockResponse[SealedBlock])", "BlockResponse)", "messages must have BlockResponse[SealedBlock], which"),
        (', tag="sealed")', ', tag="transaction")', "SealedBlock has the tag 'transaction' of Transaction; give it"),
        (', tag="sealed")', ")", "messages needs a tag for each: write tag='...' where SealedBlock is declared"),
        (
            '"keys": ChainKeys',
            '"keys": {"width": 3}',
            "the part keys must be a subclass of ChainKeys or MechanismKeys, not",
        ),
        ("dataset_digest, form):", "form):", "must be a function that takes (scenario, accounts, dataset, dataset_dig"),
    ],
)
def test_what_is_no_mechanism_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    write(tmp_path, TURNS.replace(before, after), "turns.py")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert told in str(caught.value)
    assert "plugins.0: " in str(caught.value)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("return (Round", "the genesis of the mechanism 'turns' is a RoundRobinGenesis; return a RoundRobin"),
        ("return None.chain, (Round", "AttributeError: 'NoneType' object has no attribute 'chain'"),
    ],
)
def test_a_genesis_that_is_none_is_told_by_validate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], after: str, told: str
) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    write(tmp_path, TURNS.replace("return RoundRobin(Round", after), "turns.py")
    assert cli.main(["validate", str(file)]) == 2
    err = capsys.readouterr().err
    assert re.search(rf"scenario\.yaml: \S+turns\.py:\d+: {re.escape(told)}", err)
    assert err.count("\n") == 1


def test_two_files_with_one_name_are_told_apart_from_one_file_twice(tmp_path: Path) -> None:
    write(tmp_path, TURNS + "\n# another version\n")
    with pytest.raises(ScenarioError, match=r"there is a mechanism called 'turns' already; give it another name"):
        load_scenario(save_turns(tmp_path, engine="virtual", share=0.0))
