"""Every invariant is found when it is broken, and none where nothing is."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest

from protocol import ledger
from protocol import rules as rules_module
from protocol.codec import encode
from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_training import rewards
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import Payout, Transaction
from protocol.subsidy import compute_subsidy
from simulation.analysis.after_run import find_broken, find_chain_fault
from simulation.analysis.during_run import CONFIRMATION_DEPTH
from simulation.records.tally import Tally
from simulation.scenario.world.world import World
from tests.support.core import Scene, genesis, make_rules
from tests.support.memory_runs import make_raw, make_world, population, simulate
from tests.support.scenarios import appended, note, trained

pytestmark = pytest.mark.xdist_group("after run")

STAGES = CONFIRMATION_DEPTH + 3
NO_TALLY = Tally()

Chain = tuple[bytes, ...]


def make_scene() -> Scene:
    scene = Scene(genesis(5, stages=STAGES))
    scene.now *= STAGES  # late enough for the slots of all blocks
    return scene


def pack(records: Iterable[ChainRecord]) -> Chain:
    return tuple(encode(record.block) for record in records if record.block is not None)


def grow(scene: Scene, height: int, author: int = 1) -> Chain:
    """Return a chain of a height, whose blocks from here on one author proposes."""
    for expected in range(scene.head.height + 1, height + 1):
        assert scene.grow(author=author).height == expected
    return pack(scene.node.tree.get_chain())


@cache
def good_chain() -> Chain:
    """Return a whole chain, with a transfer in its second block."""
    scene = make_scene()
    scene.grow()
    scene.grow((scene.transfer(),))
    return grow(scene, STAGES)


@cache
def branch(fork: int, height: int) -> Chain:
    """Return a chain whose blocks above some height are those of another author."""
    scene = make_scene()
    grow(scene, fork)
    return grow(scene, height, author=2)


def world() -> World:
    """Return a world of honest nodes and attackers on the chain of the scenes."""
    made = make_world(make_raw(population("honest", 3), population("bad", 2, "data_injection")))
    return replace(made, mechanism=make_scene().pot)


def judge(**chains: Chain) -> str | None:
    """Return what is wrong with the chains of parties."""
    return find_broken(world(), NO_TALLY, {label.replace("_", "-"): chain for label, chain in chains.items()})


def change(chain: Chain, height: int, **fields: Any) -> Chain:
    """Change fields of a block, leaving its signature alone."""
    block = msgspec.structs.replace(msgspec.msgpack.decode(chain[height - 1], type=WrappedBlock), **fields)
    return (*chain[: height - 1], encode(block), *chain[height:])


# ---- nothing broken ----


def test_a_good_run_breaks_nothing() -> None:
    raw = make_raw(population("honest", 5), population("bad", 2, "data_injection"), users={"count": 3})
    run = simulate(raw)
    assert (run.reason, run.broken) == ("complete", None)
    assert len(run.result.chains["honest-0"]) == 3


def test_good_chains_of_any_length_break_nothing() -> None:
    chain = good_chain()
    assert len(chain) == STAGES
    for height in range(STAGES + 1):
        assert judge(honest_0=chain, honest_1=chain[:height], honest_2=()) is None
    assert judge() is None


# ---- agreement ----


@pytest.mark.parametrize("fork", [0, 1, 2])
def test_honest_nodes_that_differ_below_the_confirmation_depth_are_found(fork: int) -> None:
    settled = fork + 1 + CONFIRMATION_DEPTH
    mine, other = branch(STAGES, STAGES), branch(fork, STAGES)
    assert (mine[:fork], mine[fork] == other[fork]) == (other[:fork], False)
    for shorter in ({"honest_0": mine[:settled], "honest_2": other}, {"honest_0": mine, "honest_2": other[:settled]}):
        fault = judge(**shorter)
        assert fault is not None
        assert fault.startswith("agreement: ")
        assert "honest-0" in fault
        assert "honest-2" in fault
        assert fault.endswith(f"at height {fork + 1}")


@pytest.mark.parametrize("fork", [0, 1, 2])
def test_honest_nodes_may_differ_above_the_confirmation_depth(fork: int) -> None:
    settled = fork + CONFIRMATION_DEPTH
    assert judge(honest_0=branch(STAGES, STAGES)[:settled], honest_1=branch(fork, STAGES)) is None


def test_what_attackers_and_the_employer_hold_is_their_own_business() -> None:
    mine, other = branch(STAGES, STAGES), branch(0, STAGES)
    assert judge(honest_0=mine, bad_0=other, employer=other, bad_1=change(mine, 1, coinbase=())) is None


# ---- validity ----


@pytest.mark.parametrize("height", [1, 2, STAGES])
@pytest.mark.parametrize(
    "fields",
    [{"transactions": ()}, {"coinbase": ()}, {"signatures": ()}, {"signature": bytes(64)}, {"author": bytes(32)}],
    ids=lambda fields: str(next(iter(fields))),
)
def test_a_changed_block_is_found_at_its_height(fields: dict[str, Any], height: int) -> None:
    chain = change(good_chain(), height, **fields)
    if chain == good_chain():
        fields = {"transactions": (_transfer(),)}
        chain = change(good_chain(), height, **fields)
    assert judge(honest_1=chain) == f"validity: the block at height {height} is refused: bad-signature"


@pytest.mark.parametrize("height", [1, STAGES - 1])
def test_a_block_that_is_missing_from_the_middle_is_found(height: int) -> None:
    chain = good_chain()
    fault = judge(honest_1=chain[: height - 1] + chain[height:])
    assert fault is not None
    assert fault.startswith(f"validity: the block at height {height} is refused: ")


def test_a_block_of_another_branch_is_found() -> None:
    mixed = (*branch(0, STAGES)[:1], *branch(STAGES, STAGES)[1:])
    fault = judge(honest_1=mixed)
    assert fault is not None
    assert fault.startswith("validity: the block at height 2 is refused: ")


def test_one_bad_chain_among_good_ones_is_found() -> None:
    chain = good_chain()
    last = change(chain, STAGES, coinbase=())
    fault = judge(honest_0=chain, honest_1=last, honest_2=chain)
    assert fault == f"validity: the block at height {STAGES} is refused: bad-signature"


# ---- money: a core that breaks its own rules ----


def _transfer(nonce: int = 0) -> Transaction:
    return make_scene().transfer(nonce=nonce)


def test_coins_from_nowhere_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that issues too much, to everybody's liking."""
    subsidy = compute_subsidy

    def issue_more(height: int) -> int:
        return subsidy(height) + (height == 2)

    monkeypatch.setattr(rewards, "compute_subsidy", issue_more)
    monkeypatch.setattr(rules_module, "compute_subsidy", issue_more)
    chain = grow(make_scene(), 3)
    fault = find_chain_fault(make_rules(make_scene().genesis), chain)
    assert fault is not None
    assert fault.text == f"supply: {subsidy(2) + 1} micro-coins are issued at height 2, {subsidy(2)} are due at most"


def test_accounts_that_hold_more_than_the_supply_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that pays out more than it adds to the supply."""
    pay = ledger.apply_block

    def pay_more(state: Any, transactions: Any, payouts: tuple[Payout, ...], **rules: Any) -> Any:
        owner = payouts[0].account
        after = pay(state, transactions, payouts, **rules)
        richer = replace(after.get_account(owner), balance=after.get_account(owner).balance + 5)
        return replace(after, accounts={**after.accounts, owner: richer})

    monkeypatch.setattr(rules_module, "apply_block", pay_more)
    chain = grow(make_scene(), 2)
    fault = find_chain_fault(make_rules(make_scene().genesis), chain)
    assert fault is not None
    assert fault.text.startswith("supply: at height 1, accounts hold ")


def double_transfer() -> Chain:
    scene = make_scene()
    transfer = scene.transfer()
    before = grow(scene, 1)
    scene.grow((transfer,))
    block = scene.block(None, (transfer,))
    return (*before, *pack([scene.head]), encode(block))


def test_a_transfer_that_stands_twice_is_refused_by_the_rules() -> None:
    assert judge(honest_0=double_transfer()) == "validity: the block at height 3 is refused: nonce-used"


@pytest.mark.parametrize("is_in_one_block", [False, True])
def test_a_transfer_that_stands_twice_is_found_where_the_rules_let_it_pass(
    is_in_one_block: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core that forgot to look at nonces."""
    monkeypatch.setattr(rules_module, "find_block_fault", lambda state, transactions, **_: None)
    chain, height = double_transfer(), 3
    if is_in_one_block:
        scene, height = make_scene(), 1
        chain = (encode(scene.block(None, (scene.transfer(),) * 2)),)
    assert judge(honest_0=chain) == f"double spend: a transfer stands twice in the chain, again at height {height}"


# ---- poison ----


def tell(*, is_also_clean: bool = False, who: str = "honest-0") -> Tally:
    """Return the count of a run in which somebody appended a block that an attacker has trained."""
    tally = Tally()
    for node in world().nodes:
        tally.add(note(node.label, "node", population=node.population, role=node.role, stake=1))
    tally.add(trained("bad-0", 0, "0xbb1", data="poisoned"))
    tally.add(trained("honest-0", 0, "0xbb1" if is_also_clean else "0xaa1"))
    tally.add(trained("honest-1", 0, "0xaa1"))
    tally.add(trained("honest-1", 1, "0xaa2"))
    tally.add(appended("honest-1", 1, "0xb1", "0x000", "0xaa1"))
    tally.add(appended(who, 1, "0xb2", "0x000", "0xbb1"))
    return tally


def test_a_poisoned_stage_in_an_honest_chain_is_found() -> None:
    assert find_broken(world(), tell(), {}) == "poison: 1 poisoned stages in honest chains"


def test_a_poisoned_stage_below_the_head_is_found() -> None:
    tally = tell()
    tally.add(appended("honest-0", 2, "0xb3", "0xb2", "0xaa2"))
    assert find_broken(world(), tally, {}) == "poison: 1 poisoned stages in honest chains"


def test_a_poisoned_stage_that_an_honest_node_has_left_is_none() -> None:
    tally = tell()
    tally.add(appended("honest-0", 2, "0xb3", "0xb1", "0xaa2", reorg=1))
    assert find_broken(world(), tally, {}) is None


@pytest.mark.parametrize("tally", [tell(is_also_clean=True), tell(who="bad-1"), tell(who="employer")])
def test_what_is_clean_or_in_another_chain_is_no_poisoned_stage(tally: Tally) -> None:
    assert find_broken(world(), tally, {}) is None


def test_a_broken_chain_is_told_of_before_poison() -> None:
    fault = find_broken(world(), tell(), {"honest-0": change(good_chain(), 1, coinbase=())})
    assert fault is not None
    assert fault.startswith("validity: ")
