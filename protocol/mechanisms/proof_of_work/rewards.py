"""What a miner is paid: all that a block pays."""

from protocol.subsidy import build_coinbase

__all__ = ["build_coinbase"]
