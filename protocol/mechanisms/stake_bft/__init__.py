"""Proof of stake by votes: a block is final as soon as owners of more than two thirds of all stake have signed it."""

from protocol.mechanisms.stake_bft.mechanism import StakeBft

__all__ = ["StakeBft"]
