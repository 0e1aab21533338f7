"""The vocabulary every other module of the core is written in.

Sizes and ranges are part of the type, so that the decoder refuses a value outside them. No behaviour lives here.
"""

from typing import Annotated, Final

from msgspec import Meta

HASH_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
STAMP_BYTES: Final = 8

PARTS_PER_MILLION: Final = 1_000_000
MICRO_COINS_PER_COIN: Final = 1_000_000

Hash32 = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
"""A SHA-256 digest."""

AccountId = Annotated[bytes, Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
"""The raw Ed25519 public key that owns an account; a node's identity is the account that holds its bond."""

Signature = Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
"""A raw Ed25519 signature."""

SealedSignature = Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES + STAMP_BYTES)]
"""A signature and, on a chain that asks for it, a stamp behind it; see `protocol.stamps`."""

Height = Annotated[int, Meta(ge=0, lt=2**31)]
"""Number of blocks between a block and the genesis."""

Slot = Annotated[int, Meta(ge=0, lt=2**62)]
"""Number of whole slot lengths since the genesis."""

MicroCoins = Annotated[int, Meta(ge=0, lt=2**62)]
"""An amount of money; 1,000,000 micro-coins are one coin."""

Nonce = Annotated[int, Meta(ge=0, lt=2**62)]
"""Number of transfers an account has made before this one."""

Millionths = Annotated[int, Meta(ge=0, lt=2**40)]
"""A ratio in parts per million, so that no judgement rests on floating point."""

Nanoseconds = int
"""Time since the genesis, as the driver tells it."""

PeerId = str
"""The name a driver gives to the other end of a link; it is not an identity the protocol trusts."""
