"""Proof of activity: work draws owners of stake by lot, and a block needs the signatures of those drawn."""

from protocol.mechanisms.proof_of_activity.mechanism import ProofOfActivity

__all__ = ["ProofOfActivity"]
