"""Who did what for a chain, when, and for how much: in the order in which the chain has it.

Money is followed transfer by transfer and payout by payout, coins at stake too. What a balance or a stake changes by
besides, which only a mechanism's own rules can do, is an event as well, so that each of them ends with what the ledger
says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.events import ChainRecord
from protocol.messages import AnyBlock, Payout, Transaction
from protocol.types import AccountId, Hash32
from simulation.commands.provenance.opened_chain import OpenedChain

BEGAN, PAID, RECEIVED, OPENED, EARNED = "began with", "transferred", "received", "opened an account", "was paid"
BONDED, UNBONDED, RELEASED = "bonded", "began to unbond", "got back"
CHANGED, SLASHED, STAKED = "had changed by the rules", "lost stake", "gained stake"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """One thing that somebody did, or that happened to somebody's coins."""

    height: int
    slot: int
    seconds: float
    """When the slot began, since the genesis."""
    block: Hash32
    account: AccountId
    did: str
    amount: int | None = None
    """Micro-coins that the liquid balance changes by; None where it does not."""
    balance: int
    """Liquid micro-coins of the account after it."""
    other: AccountId | None = None
    """Who paid, or was paid."""
    transaction: Hash32 | None = None
    fee: int = 0
    """Micro-coins: of a transfer the fee within its amount, of a payout what the block's fees are of it."""
    share: float | None = None
    """Of a payout: its part of the block's coinbase."""
    staked: int | None = None
    """Micro-coins that the stake of the account changes by; None where it does not."""
    bonded: int | None = None
    """Micro-coins that it has at stake after that."""


def list_events(chain: OpenedChain) -> Iterator[ChainEvent]:
    """Yield all events of a chain: by block, and within it deeds, transfers, payouts, and what the rules change."""
    follower = _Follower(chain)
    yield from follower.begin()
    for parent, record, block in chain.list_blocks():
        yield from follower.follow(parent, record, block)


class _Follower:
    """Keeps running balances while a chain is walked."""

    def __init__(self, chain: OpenedChain) -> None:
        self._chain = chain
        self._balances: Counter[AccountId] = Counter()
        self._stakes: Counter[AccountId] = Counter()

    def begin(self) -> Iterator[ChainEvent]:
        """Yield what each account of the genesis begins with."""
        origin = self._chain.records[0]
        for line in self._chain.rules.genesis.accounts:
            yield self._make(origin, line.account, BEGAN, line.balance, staked=line.stake)

    def follow(self, parent: ChainRecord, record: ChainRecord, block: AnyBlock) -> Iterator[ChainEvent]:
        """Yield the events of one block."""
        for deed in self._chain.lines.list_deeds(block):
            yield self._make(record, deed.account, deed.did, slot=deed.slot)
        known = set(parent.state.accounts)
        for transaction in block.transactions:
            yield from self._list_transfer(record, transaction, known)
        yield from self._list_payouts(parent, record, block)
        yield from self._list_changes(parent, record)

    def _list_transfer(
        self, record: ChainRecord, transaction: Transaction, known: set[AccountId]
    ) -> Iterator[ChainEvent]:
        name, author, fee = self._chain.rules.hash_message(transaction), transaction.author, transaction.fee
        recipient, amount = transaction.recipient, transaction.amount
        if recipient == DEPOSITS:
            yield self._make(record, author, BONDED, -amount - fee, transaction=name, fee=fee, staked=amount)
            return
        if recipient == WITHDRAWALS:
            yield self._make(record, author, UNBONDED, -fee, transaction=name, fee=fee, staked=-amount)
            return
        yield self._make(record, author, PAID, -amount - fee, other=recipient, transaction=name, fee=fee)
        if recipient not in known:
            known.add(recipient)
            yield self._make(record, author, OPENED, other=recipient, transaction=name)
        yield self._make(record, recipient, RECEIVED, amount, other=author, transaction=name)

    def _list_payouts(self, parent: ChainRecord, record: ChainRecord, block: AnyBlock) -> Iterator[ChainEvent]:
        total, fees = sum(payout.amount for payout in block.coinbase), self._split_fees(parent, block)
        for payout in block.coinbase:
            part = payout.amount / total if total else 0.0
            fee = fees.get(payout.account, 0)
            yield self._make(record, payout.account, EARNED, payout.amount, fee=fee, share=part)

    def _split_fees(self, parent: ChainRecord, block: AnyBlock) -> dict[AccountId, int]:
        """Return how much less each would be paid for the same block without fees: what fees are of its payout."""
        if not any(transaction.fee for transaction in block.transactions):
            return {}
        rules = self._chain.rules
        free = tuple(msgspec.structs.replace(transaction, fee=0) for transaction in block.transactions)
        bare = msgspec.structs.replace(block, transactions=free)
        without = _add_up(rules.mechanism.compute_coinbase(rules, parent, bare))
        return {account: amount - without[account] for account, amount in _add_up(block.coinbase).items()}

    def _list_changes(self, parent: ChainRecord, record: ChainRecord) -> Iterator[ChainEvent]:
        """Yield what transfers and payouts do not explain: coins that have unbonded, and what rules take or give."""
        before, after = parent.state, record.state
        for account, held in after.accounts.items():
            change = held.balance - self._balances[account]
            if change:
                is_released = change > 0 and self._chain.rules.mechanism.bonding is not None
                yield self._make(record, account, RELEASED if is_released else CHANGED, change)
        for account in sorted({*before.stakes.owners, *after.stakes.owners}):
            change = after.stakes.get_stake(account) - self._stakes[account]
            if change:
                yield self._make(record, account, STAKED if change > 0 else SLASHED, staked=change)

    def _make(
        self,
        record: ChainRecord,
        account: AccountId,
        did: str,
        amount: int | None = None,
        *,
        slot: int | None = None,
        other: AccountId | None = None,
        transaction: Hash32 | None = None,
        fee: int = 0,
        share: float | None = None,
        staked: int = 0,
    ) -> ChainEvent:
        self._balances[account] += amount or 0
        self._stakes[account] += staked
        when = record.slot if slot is None else slot
        return ChainEvent(
            height=record.height,
            slot=when,
            seconds=self._chain.find_seconds(when),
            block=record.hash,
            account=account,
            did=did,
            amount=amount,
            balance=self._balances[account],
            other=other,
            transaction=transaction,
            fee=fee,
            share=share,
            staked=staked or None,
            bonded=self._stakes[account] if staked else None,
        )


def _add_up(payouts: Iterable[Payout]) -> Counter[AccountId]:
    total: Counter[AccountId] = Counter()
    for payout in payouts:
        total[payout.account] += payout.amount
    return total
