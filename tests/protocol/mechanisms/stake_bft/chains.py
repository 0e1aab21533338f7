"""Chains by votes for tests: valid by default."""

from typing import Any

from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_bft.genesis import BftGenesis, Pace
from tests.support.core import SLOT_NS, keys


def make_bft(nodes: int = 4, *, length: int = 4, seed: int = 7, **changes: Any) -> StakeBft:
    """Return the mechanism of a chain with equal stakes; changes are fields of its pace, or its reward or stakes."""
    stakes = changes.pop("stakes", [1_000_000] * nodes)
    reward = changes.pop("reward", "proposer")
    accounts = [
        GenesisAccount(account=keys(index).public, balance=50_000_000, stake=stake)
        for index, stake in enumerate(stakes)
    ]
    accounts.sort(key=lambda line: line.account)
    pace = Pace(**{"pause": 2, "propose": 3, "vote": 2, "growth": 1, **changes})
    chain = ChainRules(slot_ns=SLOT_NS, max_transactions=100, length=length)
    return StakeBft(BftGenesis(chain=chain, accounts=tuple(accounts), seed=seed, pace=pace, reward=reward))
