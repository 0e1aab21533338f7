"""What `tests.protocol.test_vectors` freezes of proof of activity: a template, its draw, and the block made of it."""

from typing import Final

from protocol.mechanisms.proof_of_activity.work import compute_template_digest
from protocol.messages import Transaction
from protocol.rules import Rules
from tests.protocol.mechanisms.proof_of_activity.chains import close, find_group, make_activity, mine, sign
from tests.support.core import keys

CHAINS: Final = {"all": {"drawn": 3}, "some": {"drawn": 5, "needed": 3}}
"""Genesis of a chain where all have to sign, and of one where some may be missing."""


def build_activity_vectors() -> dict[str, object]:
    """Return all that is frozen."""
    found: dict[str, object] = {}
    for name, changes in CHAINS.items():
        rules = Rules(make_activity(4, stakes=(1_000, 2_000, 3_000, 4_000), **changes))
        template = mine(rules, rules.origin)
        paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=7)
        block = close(rules, rules.origin, template, transactions=(sign(rules, paid),))
        group = find_group(rules, rules.origin, template)
        found[name] = {
            "chain_id": rules.chain_id.hex(),
            "header": compute_template_digest(rules.chain_id, template).hex(),
            "nonce": template.nonce,
            "template": rules.hash_message(template).hex(),
            "places": [owner.hex() for owner in group.places],
            "closer": group.closer.hex(),
            "cosignatures": [item.signature.hex() for item in block.signatures],
            "coinbase": {line.account.hex(): line.amount for line in block.coinbase},
            "block": rules.hash_message(block).hex(),
        }
    return found
