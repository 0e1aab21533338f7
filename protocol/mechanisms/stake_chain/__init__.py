"""Chain-based proof of stake: one owner of bonded coins is drawn for each slot, and most blocks win."""

from protocol.mechanisms.stake_chain.mechanism import StakeChain

__all__ = ["StakeChain"]
