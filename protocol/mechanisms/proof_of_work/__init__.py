"""Proof of work: a block shows a nonce that takes many hashes to find and one to check."""

from protocol.mechanisms.proof_of_work.mechanism import ProofOfWork

__all__ = ["ProofOfWork"]
