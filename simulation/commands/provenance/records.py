"""What is looked up, as plain values: the JSON lines, and what the tables are made of. Amounts are micro-coins."""

from collections.abc import Iterable, Iterator
from typing import Any

from protocol.events import ChainRecord
from protocol.ledger import count_created
from protocol.messages import Transaction
from protocol.types import AccountId
from simulation.commands.provenance.accounts import KeyAccount
from simulation.commands.provenance.events import ChainEvent
from simulation.commands.provenance.opened_chain import OpenedChain

Told = dict[str, Any]


def describe_chain(chain: OpenedChain) -> Told:
    """Return what the chain is, and what its coins come to."""
    origin, head = chain.records[0], chain.head
    return {
        "record": "chain",
        "chain": chain.rules.chain_id.hex(),
        "mechanism": chain.rules.mechanism.name,
        "height": head.height,
        "length": chain.rules.chain.length,
        "supply_at_genesis": origin.state.supply,
        "created": head.state.supply - origin.state.supply + head.state.burnt,
        "burnt": head.state.burnt,
        "supply": head.state.supply,
        "bonded": head.state.stakes.total,
        "fault": chain.fault,
    }


def describe_product(chain: OpenedChain) -> Told | None:
    """Return what the work of the chain is about, and what has come of it; None where that is nothing."""
    told = chain.lines.describe_product(chain.rules.mechanism, chain.head.block)
    return {"record": "product", **told} if told else None


def describe_event(chain: OpenedChain, event: ChainEvent) -> Told:
    """Return one event; what it does not have is left out."""
    told = {
        "record": "event",
        "height": event.height,
        "slot": event.slot,
        "seconds": event.seconds,
        "block": event.block.hex(),
        **_describe_key(chain, event.account),
        "did": event.did,
        "amount": event.amount,
        "balance": event.balance,
        "fee": event.fee or None,
        "share": event.share,
        "staked": event.staked,
        "bonded": event.bonded,
        "other": event.other and event.other.hex(),
        "other_name": event.other and chain.names.get(event.other),
        "transaction": event.transaction and event.transaction.hex(),
    }
    return {name: value for name, value in told.items() if value is not None}


def describe_account(chain: OpenedChain, account: KeyAccount) -> Told:
    """Return what a key comes to."""
    names = ("deposited", "released", "unbonding", "changed")
    if_any = {name: getattr(account, name) for name in names if getattr(account, name)}
    return {
        "record": "key",
        **_describe_key(chain, account.account),
        "deeds": dict(account.deeds),
        "began": account.began,
        "earned": account.earned,
        "fees_earned": account.fees_earned,
        "received": account.received,
        "transferred": account.transferred,
        "fees_paid": account.fees_paid,
        **if_any,
        "balance": account.balance,
        "bonded": account.bonded,
    }


def describe_block(chain: OpenedChain, record: ChainRecord) -> Told:
    """Return one block: where it is, who made it, what it holds, and how deep it lies."""
    children = [later.hash.hex() for later in chain.records if later.height == record.height + 1]
    told: Told = {
        "record": "block",
        "block": record.hash.hex(),
        "height": record.height,
        "slot": record.slot,
        "seconds": chain.find_seconds(record.slot),
        "confirmations": count_confirmations(chain, record),
        "parent": record.parent.hex() if record.block is not None else None,
        "child": children[0] if children else None,
        "supply": record.state.supply,
    }
    block = record.block
    if block is None:
        return {**told, "genesis": True, "accounts": len(record.state.accounts)}
    return {
        **told,
        "proof": dict(chain.lines.describe_block(block)),
        "deeds": [{**_describe_key(chain, deed.account), "did": deed.did} for deed in chain.lines.list_deeds(block)],
        "created": count_created(block.transactions, block.coinbase),
        "fees": sum(transaction.fee for transaction in block.transactions),
        "coinbase": [{**_describe_key(chain, line.account), "amount": line.amount} for line in block.coinbase],
        "transactions": [_describe_transfer(chain, transaction) for transaction in block.transactions],
    }


def describe_transaction(chain: OpenedChain, record: ChainRecord, place: int, transaction: Transaction) -> Told:
    """Return one transaction: in which block it is, and who pays whom."""
    return {
        "record": "transaction",
        **_describe_transfer(chain, transaction),
        "block": record.hash.hex(),
        "height": record.height,
        "place": place,
        "slot": record.slot,
        "seconds": chain.find_seconds(record.slot),
        "confirmations": count_confirmations(chain, record),
    }


def count_confirmations(chain: OpenedChain, record: ChainRecord) -> int:
    """Return how many blocks stand for a block: itself, and those on top of it."""
    return chain.head.height - record.height + 1


def _describe_transfer(chain: OpenedChain, transaction: Transaction) -> Told:
    return {
        "transaction": chain.rules.hash_message(transaction).hex(),
        "from": transaction.author.hex(),
        "from_name": chain.names.get(transaction.author),
        "to": transaction.recipient.hex(),
        "to_name": chain.names.get(transaction.recipient),
        "nonce": transaction.nonce,
        "amount": transaction.amount,
        "fee": transaction.fee,
    }


def _describe_key(chain: OpenedChain, key: AccountId) -> Told:
    return {"key": key.hex(), "name": chain.names.get(key)}


def list_audit(chain: OpenedChain, events: Iterable[ChainEvent], accounts: Iterable[KeyAccount]) -> Iterator[Told]:
    """Yield the records of an audit: the chain, what has come of it, the events, and each key."""
    yield describe_chain(chain)
    product = describe_product(chain)
    if product is not None:
        yield product
    yield from (describe_event(chain, event) for event in events)
    yield from (describe_account(chain, account) for account in accounts)
