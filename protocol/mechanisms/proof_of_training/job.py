"""What all parties agreed on before the first block: the training job, the rules and the opening accounts."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta
from msgspec.structs import astuple

from protocol.codec import encode
from protocol.genesis import Agreed, ChainRules, GenesisAccount
from protocol.genesis import compute_chain_id as compute_id
from protocol.mechanisms.proof_of_training.repairs import OPENING_DEPOSIT, SETTLED_AFTER_SLOTS, Repair
from protocol.types import Hash32, Millionths

PARTS_PER_BILLION: Final = 1_000_000_000

Billionths = Annotated[int, Meta(ge=0, lt=2**62)]
"""A distance between weights in parts per billion, so that no judgement rests on floating point."""


Setting = bool | int | float | str | tuple[int | float | str, ...]
"""What one key of a model or an optimiser may be."""


class AgreedModel(Agreed, frozen=True, kw_only=True):
    """What is trained, and the form of the samples that it is trained on."""

    name: str
    """Kind of the model."""
    settings: tuple[tuple[str, Setting], ...]
    """Its own keys, by name in ascending order; a dense network has those of the job instead."""
    shape: Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(min_length=1, max_length=3)]
    """Form of one sample: numbers in a row; rows and columns of an image, and its channels if it has any."""
    classes: Annotated[int, Meta(ge=2)]
    """Labels go from 0 to one less."""


class TrainingJob(Agreed, frozen=True, kw_only=True):
    """The training the employer pays for. Equal jobs on equal profiles give equal results, bit for bit."""

    layers: tuple[int, ...]
    """Units of each hidden layer, input side first; none where another kind of model has keys of its own."""
    activation: str
    """Activation of the hidden layers, by its Keras name."""
    optimizer: str
    """Optimiser, by its Keras name; one that Keras does not have may have settings."""
    learning_rate: float
    """Step size of the optimiser."""
    loss: str
    """Loss, by its Keras name."""
    dataset: str
    """Name of the data set."""
    dataset_digest: Hash32
    """Digest of the training samples and labels."""
    weights_seed: int
    """Seed of the public function that gives the initial weights."""
    order_seed: int
    """Seed of the public permutation that gives the order of the samples."""
    batch_size: int
    """Samples a step."""
    steps_per_stage: int
    """Optimiser steps between two blocks."""
    stages: int
    """Blocks the job takes; height h trains stage h - 1."""
    profile: str
    """Arithmetic profile that every declaration must name."""
    model: AgreedModel | None = None
    """None for a dense network from 28x28 numbers to ten classes: that is all there was at first."""
    optimizer_settings: tuple[tuple[str, Setting], ...] = ()
    """The optimiser's own keys, by name in ascending order."""


class Confidence(Agreed, frozen=True, kw_only=True):
    """How many declarations a header needs."""

    rule: Literal["count", "stake_share"]
    """``count``: at least ``value`` distinct authors. ``stake_share``: more than ``value`` millionths of all stake."""
    value: Millionths


class RewardShares(Agreed, frozen=True, kw_only=True):
    """How a block's subsidy is split; the three shares sum to one million."""

    proposer: Millionths
    declarers: Millionths
    stakeholders: Millionths


class ProtocolParameters(Agreed, frozen=True, kw_only=True):
    """The rules of one chain."""

    confidence: Confidence
    """Declarations a header needs."""
    stakeholders: int
    """K: stakeholders drawn for each header; K-1 sign and the last one wraps."""
    slot_ns: int
    """Length of a slot, in nanoseconds."""
    declarations_per_slot: Millionths
    """Declaration rights won in a slot by all stake together, on average, in millionths."""
    headers_per_slot: Millionths
    """Proposal rights won in a slot by all stake together, on average, in millionths."""
    max_transactions: int
    """Transactions a block may hold."""
    rewards: RewardShares
    """Split of the subsidy."""


class TrainingGenesis(Agreed, frozen=True, kw_only=True):
    """Everything the chain id stands for."""

    parameters: ProtocolParameters
    job: TrainingJob
    accounts: tuple[GenesisAccount, ...]
    """By ascending account, each once."""
    seed: int
    """Makes two runs of the same job two different chains."""
    tolerance: Billionths = 0
    """Largest absolute difference of any weight from the judge's own that counts as the same training; 0: none."""
    repairs: tuple[Repair, ...] = ()
    """Rules of version 2 that are in force, in the order of `VERSION_2`; a chain of version 1 has none."""

    @property
    def chain(self) -> ChainRules:
        """The rules that every chain has: it is as long as the job has stages."""
        rules = self.parameters
        return ChainRules(
            slot_ns=rules.slot_ns,
            max_transactions=rules.max_transactions,
            length=self.job.stages,
            settled_after_slots=SETTLED_AFTER_SLOTS if Repair.RANKED_TIES in self.repairs else None,
            opening_deposit=OPENING_DEPOSIT if Repair.FUNDED_ACCOUNTS in self.repairs else 0,
        )


def pack_job(job: TrainingJob) -> tuple[Any, ...]:
    """Return what stands for a job in canonical bytes; the last two fields do only as far as there is more to tell."""
    packed = astuple(job)
    if job.optimizer_settings:
        return packed
    return packed[:-1] if job.model is not None else packed[:-2]


def encode_genesis(genesis: TrainingGenesis) -> bytes:
    """Return the canonical bytes of a genesis.

    The tolerance stands in them only where there is one, or where there are repairs: to those who know of neither, a
    chain of version 1 is the same.
    """
    agreed = (genesis.parameters, pack_job(genesis.job), genesis.accounts, genesis.seed)
    if genesis.repairs:
        return encode((*agreed, genesis.tolerance, genesis.repairs))
    return encode((*agreed, genesis.tolerance) if genesis.tolerance else agreed)


def compute_chain_id(genesis: TrainingGenesis) -> Hash32:
    """Return the hash that names the chain; it is the hash of the genesis block as well."""
    return compute_id(encode_genesis(genesis))
