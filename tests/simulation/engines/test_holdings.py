from types import MappingProxyType

from protocol.ledger import Account, LedgerState
from protocol.stakes import StakeTable
from simulation.engines.holdings import MOST_NAMED, list_holdings


def make_state(balances: dict[bytes, int]) -> LedgerState:
    accounts = {key: Account(balance) for key, balance in balances.items()}
    return LedgerState(MappingProxyType(accounts), StakeTable({}), sum(balances.values()))


def test_users_are_one_owner_and_strangers_are_not_named() -> None:
    state = make_state({b"a": 5, b"u": 1, b"v": 2, b"x": 4, b"y": 6, b"z": 0, b"e": 0})
    held = list_holdings(3, state, {b"a": "a-0", b"u": "users", b"v": "users", b"e": "employer"})
    assert (held.height, held.supply) == (3, 18)
    assert held.named == {"a-0": 5, "users": 3}
    assert (held.others, held.of_others) == (2, 10)


def test_only_the_richest_are_named_and_users_always() -> None:
    keys = [bytes([number]) for number in range(20)]
    state = make_state({**{key: 10 + number for number, key in enumerate(keys)}, b"user": 1})
    held = list_holdings(1, state, {**{key: f"node-{key[0]}" for key in keys}, b"user": "users"})
    assert list(held.named) == [f"node-{number}" for number in range(19, 19 - MOST_NAMED, -1)] + ["users"]
    assert held.others == 20 - MOST_NAMED
    assert sum(held.named.values()) + held.of_others == held.supply
