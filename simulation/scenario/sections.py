"""The sections of a scenario file: which keys there are, and what each may hold.

A field without a default must be written; the other defaults come from `simulation.constants`. What sections must have
in common is in `simulation.scenario.cross_checks`.
"""

import difflib
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from simulation.scenario.defaults import chosen_by_constant, from_constant, left_out, read_constant
from simulation.scenario.errors import Inconsistency, shorten
from simulation.scenario.fields import Coins, FilePath, PositiveFloat, PositiveInt, Section, Share
from simulation.scenario.model_keys import AnyModelKeys
from simulation.scenario.optimizer_keys import AnyOptimizer
from simulation.training import DENSE_NAME, PIXELS, find_data_set, find_model, list_data_sets

MAX_PARAMETERS: Final = 100_000_000
"""Most weights and biases of a network. Training holds each of them four times, as 32-bit floats: itself, its
gradient and the two moments of Adam; so a node needs 1.6 GB."""

BYTES_PER_PARAMETER: Final = 16

DENSE_KEYS: Final = ("layers", "activation")
"""Keys of `job` that a dense network alone has."""

MAX_STAGE_SAMPLES: Final = 10_000_000
"""Most samples of a stage: a node gathers their 784 bytes each before it trains, so 8 GB."""

MAX_BITS: Final = 24
"""Most bits of a stamp: a user finds one of these in half a minute."""

LEAST_TOLERANCE: Final = 1e-9
"""Smallest tolerance above none: the chain counts it in parts per billion."""


def _is_data_set(name: str) -> str:
    if name not in list_data_sets():
        close = difflib.get_close_matches(name, list_data_sets(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(list_data_sets())}"
        raise ValueError(f"no data set is called {shorten(repr(name))}; {hint}")
    return name


def tell_of_parameters(advice: str, count: int) -> str:
    """Return a sentence about a network with too many parameters."""
    return (
        f"{advice} {count:,} parameters, about {count * BYTES_PER_PARAMETER / 1e9:,.0f} GB in each node that trains; "
        f"the most is {MAX_PARAMETERS:,}"
    )


class Dataset(Section):
    """What is trained on."""

    name: Annotated[str, AfterValidator(_is_data_set)] = from_constant("DATASET")
    """`digits` is scikit-learn's bundled 8x8 digits enlarged to 28x28, `npz` any archive of four arrays."""
    path: FilePath | None = None
    """A file with the data; without one: a variable such as POT_MNIST, Keras' cache, Keras' download."""
    required: bool = from_constant("DATASET_REQUIRED")
    """Stop instead of falling back to `digits`."""

    @model_validator(mode="after")
    def _says_where_it_is(self) -> Self:
        if self.path is None and find_data_set(self.name).needs_path:
            raise Inconsistency("path", f"{self.name} is a file of yours; write where it is").to_error()
        return self


class TrainingJobKeys(Section):
    """The training job."""

    model: AnyModelKeys = from_constant("MODEL")
    layers: Annotated[list[Annotated[int, Field(ge=1, le=MAX_PARAMETERS)]], Field(max_length=100)] = from_constant(
        "HIDDEN_LAYERS"
    )
    activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu"] = from_constant("ACTIVATION")
    optimizer: AnyOptimizer = from_constant("OPTIMIZER")
    learning_rate: PositiveFloat = from_constant("LEARNING_RATE")
    batch_size: Annotated[int, Field(ge=1, le=MAX_STAGE_SAMPLES)] = from_constant("BATCH_SIZE")
    steps_per_stage: Annotated[int, Field(ge=1, le=MAX_STAGE_SAMPLES)] = from_constant("STEPS_PER_STAGE")
    stages: Annotated[int, Field(ge=1, le=100_000)] = from_constant("STAGES")
    xla: bool = from_constant("XLA")
    arithmetic: Literal["native", "canonical"] = "native"
    """`canonical`: NumPy in a fixed order, which gives the same bits on every machine, and is slower."""

    @field_validator("layers")
    @classmethod
    def _fits_into_memory(cls, layers: list[int]) -> list[int]:
        """Refuse what has too many weights between its own layers; inputs and classes are told by the data."""
        count = sum((inputs + 1) * units for inputs, units in pairwise(layers))
        if count > MAX_PARAMETERS:
            raise ValueError(tell_of_parameters("write fewer or smaller layers: these have at least", count))
        return layers

    @model_validator(mode="after")
    def _can_be_canonical(self) -> Self:
        if self.arithmetic == "canonical" and (self.activation != "relu" or self.xla):
            raise Inconsistency("arithmetic", "canonical knows activation: relu and xla: false only").to_error()
        if self.arithmetic == "canonical" and not find_model(self.model.name).is_canonical:
            raise Inconsistency("arithmetic", f"canonical cannot train {self.model.name}; write native").to_error()
        if self.arithmetic == "canonical" and not isinstance(self.optimizer, str):
            what = f"canonical knows no optimiser of a plug-in, such as {self.optimizer.name}; write native"
            raise Inconsistency("arithmetic", what).to_error()
        return self

    @model_validator(mode="after")
    def _has_the_keys_of_its_model(self) -> Self:
        foreign = [key for key in DENSE_KEYS if key in self.model_fields_set]
        if self.model.name != DENSE_NAME and foreign:
            own = [key for key in type(self.model).model_fields if key != "name"]
            hint = f"; it has {', '.join(own)} below job.model" if own else ""
            raise Inconsistency(
                foreign[0], f"belongs to model: dense, not to {self.model.name}; leave it out{hint}"
            ).to_error()
        return self

    @model_serializer(mode="wrap")
    def _leave_out_foreign_keys(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what belongs to a dense network, where it is another model."""
        written: dict[str, Any] = serialise(self)
        return written if self.model.name == DENSE_NAME else {k: v for k, v in written.items() if k not in DENSE_KEYS}

    @model_validator(mode="after")
    def _gathers_what_fits_into_memory(self) -> Self:
        samples = self.batch_size * self.steps_per_stage
        if samples > MAX_STAGE_SAMPLES:
            raise Inconsistency(
                "batch_size",
                f"write a smaller one or fewer steps_per_stage: a stage of {samples:,} samples takes about "
                f"{samples * PIXELS / 1e9:,.0f} GB in each node that trains; the most is {MAX_STAGE_SAMPLES:,} samples",
            ).to_error()
        return self


class Confidence(Section):
    """How many declarations a header needs: exactly one of the two rules."""

    count: PositiveInt | None = chosen_by_constant("CONFIDENCE_COUNT", default=None)
    """Declarations of this many distinct authors."""
    stake_share: Annotated[float, Field(ge=0, le=0.999999)] | None = chosen_by_constant(
        "CONFIDENCE_STAKE_SHARE", default=None
    )
    """Declarations of authors that hold more than this share of all stake."""

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        if (self.count is None) == (self.stake_share is None):
            raise ValueError("write one rule, count or stake_share")
        return self


def _choose_confidence() -> dict[str, Any]:
    """Return the rule that the constants name; neither, for `Confidence` to refuse, where they name no rule."""
    rules = {"count": "CONFIDENCE_COUNT", "stake_share": "CONFIDENCE_STAKE_SHARE"}
    chosen = read_constant("CONFIDENCE_RULE")
    return {rule: read_constant(constant) for rule, constant in rules.items() if rule == chosen}


class Rewards(Section):
    """Split of a block's subsidy; the shares sum to 1."""

    proposer: Share = from_constant("REWARD_PROPOSER")
    declarers: Share = from_constant("REWARD_DECLARERS")
    stakeholders: Share = from_constant("REWARD_STAKEHOLDERS")

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.proposer + self.declarers + self.stakeholders
        if abs(total - 1) > 1e-9:
            raise ValueError(f"proposer + declarers + stakeholders must be 1, got {total:g}")
        return self


RepairName = Literal[
    "seeded_draws", "single_rights", "ranked_ties", "open_rounds", "own_secrets", "pay_by_stake", "funded_accounts"
]
"""What version 2 of the rules repairs, as `protocol.mechanisms.proof_of_training.repairs` names it."""


def _choose_declaring(read: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever the user has written there
    """Return how many may declare in a slot under the rules that have been read: all, where most of them have to."""
    is_by_stake = read.get("confidence") is not None and read["confidence"].stake_share is not None
    return read_constant(_name_declaring(read.get("rules"), is_by_stake=is_by_stake))


def _find_declaring(raw: dict[str, Any]) -> str:
    """Return the constant that the same comes from; rules and confidence are right where it is asked for."""
    written = raw.get("protocol", {})
    confidence = written.get("confidence") or _choose_confidence()
    rules = written.get("rules", read_constant("RULES"))
    return _name_declaring(rules, is_by_stake=confidence.get("stake_share") is not None)


def _name_declaring(rules: object, *, is_by_stake: bool) -> str:
    return "DECLARATIONS_PER_SLOT_BY_STAKE" if rules != 1 and is_by_stake else "DECLARATIONS_PER_SLOT"


class ChainRules(Section):
    """The rules of the chain."""

    rules: Annotated[int, Field(ge=1, le=2)] = from_constant("RULES")
    """Version of the rules."""
    confidence: Confidence = chosen_by_constant("CONFIDENCE_RULE", default_factory=_choose_confidence)
    stakeholders: PositiveInt = from_constant("STAKEHOLDERS")
    slot_ms: Annotated[float, Field(ge=1, le=3_600_000)] = from_constant("SLOT_MS")
    declarations_per_slot: Annotated[float, Field(ge=1e-6, le=1e6)] = chosen_by_constant(
        _find_declaring, default_factory=_choose_declaring
    )
    headers_per_slot: Annotated[float, Field(ge=1e-6, le=1e6)] = from_constant("HEADERS_PER_SLOT")
    max_transactions: Annotated[int, Field(ge=0, le=1500)] = from_constant("MAX_TRANSACTIONS")
    without: list[RepairName] = Field(default_factory=list)
    """Repairs of version 2 that are left out, for a study of what each is worth."""
    tolerance: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = from_constant("TOLERANCE")
    """Largest absolute difference of any weight from the judge's own that still counts as the same training."""
    rewards: Rewards = left_out()

    def describe_version(self) -> str:
        """Return which version of training's rules is in force, and what it is without."""
        left_out = f" without {', '.join(self.without)}" if self.without else ""
        return f"version {self.rules}{left_out}"

    @field_validator("without")
    @classmethod
    def _names_each_once(cls, without: list[RepairName]) -> list[RepairName]:
        doubled = [name for index, name in enumerate(without) if name in without[:index]]
        if doubled:
            raise ValueError(f"write each repair once; {doubled[0]} stands there twice")
        return without

    @field_validator("tolerance")
    @classmethod
    def _is_counted_in_billionths(cls, tolerance: float) -> float:
        if 0 < tolerance < LEAST_TOLERANCE:
            raise ValueError(f"write 0 for bit by bit, or {LEAST_TOLERANCE:g} or more: it is counted in billionths")
        return tolerance


class Ledger(Section):
    """What every chain asks of a transfer, whatever its mechanism."""

    stamp_bits: Annotated[int, Field(ge=0, le=MAX_BITS)] = from_constant("STAMP_BITS")
    """Zero bits that the stamp of a transfer must show."""


class Users(Section):
    """Parties that send each other coins."""

    count: Annotated[int, Field(ge=0, le=100_000)] = from_constant("USERS")
    balance: Coins = from_constant("USER_BALANCE_COINS")
    transactions: Annotated[int, Field(ge=0)] = from_constant("USER_TRANSACTIONS")
    per_second: Annotated[float, Field(ge=1e-6, le=1e9)] = from_constant("USER_TRANSACTIONS_PER_S")
    fee: Coins = from_constant("USER_FEE_COINS")

    @model_validator(mode="after")
    def _can_transfer(self) -> Self:
        if self.transactions and self.count < 2:
            raise Inconsistency(
                "count", "transactions need at least 2 users; write transactions: 0 for none"
            ).to_error()
        return self


class Limits(Section):
    """When a run ends. With the virtual engine these are simulated seconds."""

    time_limit_s: Annotated[float, Field(gt=0, le=1e8)] = from_constant("TIME_LIMIT_S")
    linger_s: Annotated[float, Field(ge=0, le=3600)] = from_constant("LINGER_S")


class Virtual(Section):
    """What only the virtual engine knows."""

    step_us: PositiveFloat = from_constant("STEP_US")
    """Simulated microseconds of one training step at speed 1."""
    trainer: Literal["keras", "fake"] = from_constant("TRAINER")
    """`fake` makes up results by hashing: no model comes out, and no TensorFlow is needed."""
    memoise_training: bool = from_constant("MEMOISE_TRAINING")
    """Whether equal training is done once."""


class Output(Section):
    """What a run leaves behind besides its records."""

    pictures: bool = from_constant("PICTURES")
    records: Literal["all", "essential"] = from_constant("RECORDS")
    """`essential` counts messages and trainings instead of recording each: for very large networks."""
    journal: bool = from_constant("JOURNAL")
    """Whether each party's inputs are kept, for `replay`."""
