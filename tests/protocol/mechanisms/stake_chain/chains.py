"""Small chains by stake: valid blocks for any slot, and different in what a test is about."""

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec

from protocol.bonding import DEPOSITS, WITHDRAWALS, BondRules
from protocol.crypto import KeyPair
from protocol.events import ChainRecord
from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanism import Context
from protocol.mechanisms.stake_chain import StakeChain
from protocol.mechanisms.stake_chain.genesis import StakeGenesis
from protocol.mechanisms.stake_chain.mechanism import as_stake_chain
from protocol.mechanisms.stake_chain.messages import Evidence, StakedBlock, get_header
from protocol.mechanisms.stake_chain.secrets import Secrets
from protocol.messages import Transaction
from protocol.rules import Rules
from protocol.types import AccountId
from protocol.verdicts import Verdict
from tests.support.core import SLOT_NS, STRANGER, keys

STAKE = 1_000_000
LEAST = 500_000
DELAY = 2
BALANCE = 50_000_000
NOW = 10**6 * SLOT_NS


def make_stake(nodes: int = 4, *, stakes: Iterable[int] | None = None, **changes: Any) -> StakeChain:
    """Return a chain with equal bonds; ``changes`` replace fields of the genesis, ``length`` that of the chain."""
    bonds = list(stakes) if stakes is not None else [STAKE] * nodes
    lines = [
        GenesisAccount(account=keys(index).public, balance=BALANCE, stake=bond) for index, bond in enumerate(bonds)
    ]
    genesis = StakeGenesis(
        chain=ChainRules(slot_ns=SLOT_NS, max_transactions=100, length=changes.pop("length", 4)),
        accounts=tuple(sorted(lines, key=lambda line: line.account)),
        seed=7,
        bonding=BondRules(least_stake=LEAST, unbonding_blocks=DELAY),
        drawn_by="reveals",
        epoch_slots=4,
        slashed=1_000_000,
        reward="both",
    )
    return StakeChain(msgspec.structs.replace(genesis, **changes))


class Chain:
    """One branch, and what can be built on it."""

    def __init__(self, mechanism: StakeChain, nodes: int = 8) -> None:
        self.rules = Rules(mechanism)
        self.pairs = {keys(index).public: keys(index) for index in (*range(nodes), STRANGER)}
        self.secrets = {
            owner: Secrets(pair, self.rules.chain_id, self.rules.chain.length) for owner, pair in self.pairs.items()
        }
        self.tip: ChainRecord = self.rules.origin

    @property
    def mechanism(self) -> StakeChain:
        return as_stake_chain(self.rules.mechanism)

    def find_leader(self, slot: int, parent: ChainRecord | None = None) -> AccountId | None:
        parent = parent or self.tip
        draw = self.mechanism.find_draw(self.rules, parent, slot // self.mechanism.epoch_slots)
        return draw.find_leader(slot)

    def find_slot(self, owner: int, first: int | None = None, parent: ChainRecord | None = None) -> int:
        """Return the first slot on a block that an owner leads."""
        parent = parent or self.tip
        slots = itertools.count(first or parent.slot + 1)
        return next(slot for slot in slots if self.find_leader(slot, parent) == keys(owner).public)

    def build(
        self,
        slot: int | None = None,
        *,
        parent: ChainRecord | None = None,
        author: int | None = None,
        transactions: tuple[Transaction, ...] = (),
        evidence: tuple[Evidence, ...] = (),
        **changes: Any,
    ) -> StakedBlock:
        """Return a signed block of a slot's leader, or of another author, with some fields changed."""
        parent = parent or self.tip
        slot = parent.slot + 1 if slot is None else slot
        owner = keys(author).public if author is not None else self.find_leader(slot, parent)
        assert owner is not None
        mark = self.mechanism.find_books(self.rules, parent).marks.get(owner)
        reveal = self.secrets[owner].get(mark.made if mark is not None else 0)
        block = self.mechanism.build_block(parent, owner, slot, reveal, transactions=transactions, evidence=evidence)
        return self.sign(msgspec.structs.replace(block, **changes))

    def sign(self, block: StakedBlock) -> StakedBlock:
        return self.pairs[block.author].sign(self.rules.chain_id, block)

    def judge(self, block: StakedBlock, parent: ChainRecord | None = None) -> Verdict:
        context: Context[object] = Context(rules=self.rules, parent=parent or self.tip, now=NOW, own=None)
        return self.rules.judge_in_full(context, block)

    def grow(self, slot: int | None = None, **parts: Any) -> ChainRecord:
        """Append a block that must be valid."""
        block = self.build(slot, **parts)
        verdict = self.judge(block)
        assert type(verdict).__name__ == "Accept", verdict
        self.tip = self.rules.build_record(self.tip, block)
        self.tip.state.check_supply()
        return self.tip

    def pay(self, author: int, recipient: AccountId, amount: int, *, fee: int = 0, nonce: int | None = None) -> Any:
        pair: KeyPair = keys(author)
        number = self.tip.state.get_account(pair.public).nonce if nonce is None else nonce
        paid = Transaction(author=pair.public, nonce=number, recipient=recipient, amount=amount, fee=fee)
        return pair.sign(self.rules.chain_id, paid)

    def deposit(self, author: int, amount: int, **parts: Any) -> Any:
        return self.pay(author, DEPOSITS, amount, **parts)

    def withdraw(self, author: int, amount: int, **parts: Any) -> Any:
        return self.pay(author, WITHDRAWALS, amount, **parts)

    def double(self, slot: int | None = None, parent: ChainRecord | None = None) -> tuple[StakedBlock, StakedBlock]:
        """Return two blocks of one leader for one slot, that with the lower hash first."""
        parent = parent or self.tip
        slot = parent.slot + 1 if slot is None else slot
        one = self.build(slot, parent=parent)
        other = self.build(slot, parent=parent, transactions=(self.pay(0, keys(1).public, 5),))
        first, second = sorted((one, other), key=self.rules.hash_message)
        return first, second

    def accuse(self, first: StakedBlock, second: StakedBlock) -> Evidence:
        return Evidence(first=get_header(first), second=get_header(second))
