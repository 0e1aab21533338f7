"""Adversaries that want blocks or payments undone."""

from typing import Any

import pytest

from protocol.codec import encode_frame
from protocol.messages import Transaction
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.weakened import ignore_nonces, trust_proposers

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("withholding")]

SEEDS = range(1, 7)


def attack(behaviour: Any, seed: int, *, honest: int = 5, bad: int = 2, **sections: Any) -> Observed:
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=[behaviour]))
    return observe(make_raw(*crowd, seed=seed, **sections))


# ---- double spender ----


def find_pairs(observed: Observed) -> tuple[int, int]:
    """Return how many pairs of conflicting transfers were sent, and how many are whole in an honest chain."""
    chain = [item for block in observed.get_chain() for item in block.transactions]
    spent = {(item.author, item.nonce, item.recipient) for item in chain}
    sent = [item for item in observed.ended.find("sent", kind="transaction") if item.who in observed.get_members("bad")]
    return len(sent) // 2, len(spent) - len({(author, nonce) for author, nonce, _ in spent})


@pytest.mark.parametrize("bad", [1, 2], ids=["alone", "two"])
@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_conflicting_transfers_at_most_one_is_in_any_chain(seed: int, bad: int) -> None:
    observed = attack("double_spender", seed, bad=bad, job={"stages": 8})
    observed.assert_unharmed()
    sent, whole = find_pairs(observed)
    assert sent > 0
    assert whole == 0
    settled = [item for block in observed.get_chain() for item in block.transactions]
    assert settled
    outcomes = observed.count_outcomes("bad", "transaction")
    assert outcomes["accept"] > 0
    assert outcomes["duplicate"] + outcomes["overdraft"] + outcomes["nonce-used"] > 0
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


@pytest.mark.parametrize("bad", [1, 2], ids=["alone", "two"])
def test_the_two_transfers_really_conflict(bad: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: dict[tuple[bytes, int], set[bytes]] = {}

    def listen(chain_id: bytes, message: Any) -> bytes:
        if isinstance(message, Transaction):
            spoken.setdefault((message.author, message.nonce), set()).add(message.recipient)
        return encode_frame(chain_id, message)

    monkeypatch.setattr("simulation.engines.parties.host.encode_frame", listen)
    for seed in SEEDS:
        attack("double_spender", seed, bad=bad, job={"stages": 5})
    assert len(spoken) >= len(SEEDS)
    assert {len(recipients) for recipients in spoken.values()} == {2}


def test_without_nonces_the_chain_would_pay_both(monkeypatch: pytest.MonkeyPatch) -> None:
    ignore_nonces(monkeypatch)
    runs = [attack("double_spender", seed, job={"stages": 16}) for seed in SEEDS]
    assert sum(find_pairs(run)[1] > 0 for run in runs) >= len(SEEDS) - 1
    assert any((run.ended.broken or "").startswith("double spend") for run in runs)


# ---- private chain ----


RELEASE_S = 12.0


def hide(seed: int, *, honest: int, bad: int, **more: Any) -> Observed:
    behaviours = [{"kind": "private_chain", "release_s": RELEASE_S}]
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=behaviours, **more))
    protocol = {"stakeholders": 1, "rules": 1}  # who follows the longest chain does so under version 2 as well
    return observe(make_raw(*crowd, seed=seed, job={"stages": 40}, protocol=protocol, run={"time_limit_s": 90.0}))


def count_rewritten(observed: Observed, release_s: float = RELEASE_S) -> int:
    """Return how many blocks that an honest node had appended before the release are not in its chain at the end."""
    before = [item for item in observed.ended.find("appended", "honest-0", head=True) if item.time < release_s]
    kept = set(observed.ended.tally.get_chain(observed.ended.tally.nodes["honest-0"].head))
    return sum(item.fields["block"] not in kept for item in before)


def test_until_the_release_a_private_chain_is_heard_of_by_its_members_alone() -> None:
    observed = hide(3, honest=5, bad=2)
    members = observed.get_members("bad")
    told = [item for item in observed.ended.find("sent") if item.who in members and item.time < RELEASE_S]
    assert told
    assert {item.fields["to"] for item in told} <= members
    early = [item for item in observed.ended.find("accepted") if item.time < RELEASE_S]
    assert not [item for item in early if item.who in members and item.fields["peer"] not in members]
    assert not [item for item in early if item.who not in members and item.fields["peer"] in members]
    assert [item for item in early if item.who in members]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_smaller_part_of_the_stake_rewrites_nothing(seed: int) -> None:
    observed = hide(seed, honest=6, bad=2)
    observed.assert_unharmed()
    assert count_rewritten(observed) <= 1  # a fork of its own
    early = {item.fields["block"] for item in observed.ended.find("appended", "bad-0") if item.time < RELEASE_S}
    kept = set(observed.ended.tally.get_chain(observed.ended.tally.nodes["honest-0"].head))
    assert early
    assert not early & kept
    followed = observed.ended.result.chains["bad-0"]
    assert followed == observed.ended.result.chains["honest-0"][: len(followed)]
    assert observed.count_refused("bad") == {}


def test_the_larger_part_of_the_stake_rewrites_what_it_likes() -> None:
    runs = [hide(seed, honest=3, bad=5) for seed in SEEDS]
    assert [run.ended.reason for run in runs] == ["complete"] * len(runs)
    assert [run.ended.broken for run in runs] == [None] * len(runs)
    assert min(count_rewritten(run) for run in runs) >= 3
    for run in runs:
        early = [item for item in run.ended.find("appended", "bad-0", head=True) if item.time < RELEASE_S]
        secret = run.ended.tally.get_chain(str(early[-1].fields["block"]))
        kept = run.ended.tally.get_chain(run.ended.tally.nodes["honest-0"].head)
        assert len(secret) > 3
        assert set(secret[1:]) <= set(kept)  # all but perhaps its head, which the coalition itself may leave


POISON = {"poison": {"kind": "label_noise"}}


def test_poison_in_a_private_chain_is_refused_at_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [hide(seed, honest=3, bad=6, **POISON) for seed in SEEDS]
    for run in runs:
        assert run.ended.broken is None
        assert run.ended.tally.count_poisoned_honest() == 0
        assert run.ended.tally.nodes["bad-0"].height > run.ended.tally.nodes["honest-0"].height
    assert sum(run.count_refused("bad")["different-weights"] for run in runs) > 0
    trust_proposers(monkeypatch)
    assert any(hide(seed, honest=3, bad=6, **POISON).ended.tally.count_poisoned_honest() > 0 for seed in SEEDS)


@pytest.mark.parametrize("rules", [1, 2])
def test_under_version_1_a_small_coalition_completes_a_job_that_is_over_and_wins_by_the_lowest_hash(rules: int) -> None:
    """Under a rule of numbers length says nothing once a chain cannot grow; under version 2 the last block stays."""
    rewritten = 0
    for seed in range(12):
        behaviours = [{"kind": "private_chain", "release_s": 250.0}]
        crowd = (population("honest", 5), population("bad", 2, "adversary", behaviours=behaviours))
        away = {"node": "honest-4", "down_s": 1.0, "up_s": 280.0}  # the run goes on until it is back
        sections = {"job": {"stages": 4}, "network": {"outages": [away]}, "protocol": {"rules": rules}}
        observed = observe(make_raw(*crowd, seed=seed, **sections))
        assert observed.ended.broken is None
        rewritten += count_rewritten(observed, release_s=250.0) == 4
    assert 0 < rewritten < 12 if rules == 1 else rewritten == 0
