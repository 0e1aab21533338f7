"""Small chains by activity: easy to find templates for, and different in what a test is about."""

from typing import Any, TypeVar

import msgspec

from protocol.events import ChainRecord
from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis, ActivityShares
from protocol.mechanisms.proof_of_activity.group import Group
from protocol.mechanisms.proof_of_activity.mechanism import as_activity
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.work import compute_template_digest
from protocol.mechanisms.proof_of_work.work import SearchNonce, search
from protocol.messages import Message, Transaction
from protocol.rules import Rules
from protocol.types import AccountId
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.support.core import STRANGER, keys

M = TypeVar("M", bound=Message)
SHARES = ActivityShares(miner=500_000, signers=300_000, closer=200_000)


def make_activity(nodes: int = 3, length: int = 4, *, stakes: tuple[int, ...] = (), **changes: Any) -> ProofOfActivity:
    """Return the mechanism of a chain; ``changes`` replace fields of the genesis or of its difficulty."""
    own: dict[str, Any] = {name: changes.pop(name) for name in ("drawn", "needed", "shares") if name in changes}
    work = make_work(nodes, length, **changes).genesis
    bonds = {keys(index).public: stake for index, stake in enumerate(stakes or (1_000_000,) * nodes)}
    accounts = tuple(
        GenesisAccount(account=line.account, balance=line.balance, stake=bonds.get(line.account, 0))
        for line in work.accounts
    )
    drawn = own.get("drawn", 3)
    given: dict[str, Any] = {name: getattr(work, name) for name in work.__struct_fields__}
    given.update({"drawn": drawn, "needed": drawn, "shares": SHARES, "accounts": accounts, **own})
    return ProofOfActivity(ActivityGenesis(**given))


def mine(
    rules: Rules, parent: ChainRecord, *, miner: int = 0, slot: int = 3, serial: int = 0, **changes: Any
) -> Template:
    """Return a signed template that was worked for; ``changes`` replace fields before the work."""
    mechanism = as_activity(rules.mechanism)
    target, window_start = mechanism.find_difficulty(parent)
    template = Template(
        height=parent.height + 1,
        parent=parent.hash,
        slot=slot,
        target=target,
        window_start=window_start,
        author=keys(miner).public,
        serial=serial,
        nonce=0,
    )
    template = msgspec.structs.replace(template, **changes)
    digest = compute_template_digest(rules.chain_id, template)
    nonce = search(mechanism.genesis.hash_name, SearchNonce(digest, template.target, 0), 1_000_000).nonce
    assert nonce is not None
    return sign(rules, msgspec.structs.replace(template, nonce=nonce))


def sign(rules: Rules, message: M) -> M:
    """Return a message signed by the author it names."""
    pairs = {keys(index).public: keys(index) for index in (*range(20), STRANGER)}
    return pairs[message.author].sign(rules.chain_id, message)


def cosign(rules: Rules, template: Template, author: AccountId) -> Cosignature:
    """Return an account's signature of a template."""
    named = rules.hash_message(template)
    return sign(rules, Cosignature(height=template.height, parent=template.parent, template=named, author=author))


def find_group(rules: Rules, parent: ChainRecord, template: Template) -> Group:
    return as_activity(rules.mechanism).find_group(rules, parent, template)


def close(
    rules: Rules,
    parent: ChainRecord,
    template: Template,
    *,
    signers: tuple[AccountId, ...] | None = None,
    transactions: tuple[Transaction, ...] = (),
    **changes: Any,
) -> ActivityBlock:
    """Return the signed block of a template, with the signatures of all that were drawn, or of some."""
    group = find_group(rules, parent, template)
    signers = group.signers if signers is None else signers
    block = ActivityBlock(
        template=template,
        signatures=tuple(cosign(rules, template, signer) for signer in signers),
        transactions=transactions,
        coinbase=as_activity(rules.mechanism).build_coinbase(template, group, signers, transactions),
        author=group.closer,
    )
    return sign(rules, msgspec.structs.replace(block, **changes))
