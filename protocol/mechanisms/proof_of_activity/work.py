"""What a template's nonce is found for; guesses, targets and searching are those of proof of work."""

from typing import Final

import msgspec

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.mechanisms.proof_of_activity.messages import Template
from protocol.messages import UNSIGNED
from protocol.types import Hash32

TEMPLATE: Final = Domain(b"pot/activity/template/1")


def compute_template_digest(chain_id: Hash32, template: Template) -> Hash32:
    """Return what a nonce is found for: everything in a template but the nonce and the signature."""
    bare = msgspec.structs.replace(template, nonce=0, signature=UNSIGNED)
    return compute_hash(TEMPLATE, chain_id, encode(bare))
