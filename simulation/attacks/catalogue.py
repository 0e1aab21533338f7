"""All behaviours by the name that a scenario gives them."""

from collections.abc import Mapping
from typing import Any, Final

from simulation.attacks.disruption import Flooder, Forger, Garbage, Partitioner, Replayer, Silent
from simulation.attacks.false_rights import Equivocator, StakeLiar, TimestampGrinder
from simulation.attacks.free_riding import DeclarationSpoiler, FreeRider, LazyVerifier
from simulation.attacks.withholding import CensoringWrapper, DoubleSpender, PrivateChain, Withholder

CATALOGUE: Final[Mapping[str, type[Any]]] = {
    "silent": Silent,
    "garbage": Garbage,
    "free_rider": FreeRider,
    "lazy_verifier": LazyVerifier,
    "declaration_spoiler": DeclarationSpoiler,
    "equivocator": Equivocator,
    "forger": Forger,
    "replayer": Replayer,
    "flooder": Flooder,
    "stake_liar": StakeLiar,
    "timestamp_grinder": TimestampGrinder,
    "withholder": Withholder,
    "censoring_wrapper": CensoringWrapper,
    "double_spender": DoubleSpender,
    "partitioner": Partitioner,
    "private_chain": PrivateChain,
}
"""Each takes a generator, a coalition, and the parameters of its kind."""
