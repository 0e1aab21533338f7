"""Proof of training: a block attests a stage of a training job that every node has trained for itself."""

from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining

__all__ = ["ProofOfTraining"]
