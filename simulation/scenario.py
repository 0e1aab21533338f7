"""Scenario files: strict reading, complete resolution, and a fingerprint.

A scenario is YAML. An unknown key, a wrong type or an impossible value is refused with the file, the path of the key
and what to write instead. What a file leaves out comes from `simulation.constants`.
"""

import difflib
import hashlib
import json
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocol.books import MAX_DECLARATIONS
from simulation import constants

Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Coins = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
Label = Annotated[int, Field(ge=0, le=9)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

CONFIGS: Final = Path(__file__).resolve().parent.parent / "configs"
"""Where the shipped scenarios are."""

MAX_PROCESS_LINKS: Final = 240
"""Links of one node that the process engine can hand over (the forkserver passes at most 256 descriptors)."""


class ScenarioError(ValueError):
    """The scenario is wrong; the text says where, and what to write instead."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Dataset(_Section):
    """What is trained on."""

    name: Literal["mnist", "digits"] = constants.DATASET
    """`mnist`, or `digits`: scikit-learn's bundled 8x8 digits enlarged to 28x28."""
    path: str | None = None
    """An ``mnist.npz``; without one: the variable POT_MNIST, Keras' cache, Keras' download."""
    required: bool = constants.DATASET_REQUIRED
    """Stop instead of falling back to `digits`."""


class Job(_Section):
    """The training job."""

    layers: list[PositiveInt] = list(constants.HIDDEN_LAYERS)
    activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu"] = constants.ACTIVATION
    optimizer: Literal["adam", "sgd"] = constants.OPTIMIZER
    learning_rate: PositiveFloat = constants.LEARNING_RATE
    batch_size: PositiveInt = constants.BATCH_SIZE
    steps_per_stage: PositiveInt = constants.STEPS_PER_STAGE
    stages: Annotated[int, Field(ge=1, le=100_000)] = constants.STAGES
    xla: bool = constants.XLA


class Confidence(_Section):
    """How many declarations a header needs: exactly one of the two rules."""

    count: PositiveInt | None = None
    """Declarations of this many distinct authors."""
    stake_share: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Declarations of authors that hold more than this share of all stake."""

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        if (self.count is None) == (self.stake_share is None):
            raise ValueError("give either count or stake_share, not both")
        return self


def _default_confidence() -> Confidence:
    rule: str = constants.CONFIDENCE_RULE
    if rule == "count":
        return Confidence(count=constants.CONFIDENCE_COUNT)
    return Confidence(stake_share=constants.CONFIDENCE_STAKE_SHARE)


class Rewards(_Section):
    """Split of a block's subsidy; the shares sum to 1."""

    proposer: Share = constants.REWARD_PROPOSER
    declarers: Share = constants.REWARD_DECLARERS
    stakeholders: Share = constants.REWARD_STAKEHOLDERS

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.proposer + self.declarers + self.stakeholders
        if abs(total - 1) > 1e-9:
            raise ValueError(f"proposer + declarers + stakeholders must be 1, got {total:g}")
        return self


class Protocol(_Section):
    """The rules of the chain."""

    confidence: Confidence = Field(default_factory=_default_confidence)
    stakeholders: PositiveInt = constants.STAKEHOLDERS
    slot_ms: Annotated[float, Field(ge=1, le=3_600_000)] = constants.SLOT_MS
    declarations_per_slot: Annotated[float, Field(ge=1e-6, le=1e6)] = constants.DECLARATIONS_PER_SLOT
    headers_per_slot: Annotated[float, Field(ge=1e-6, le=1e6)] = constants.HEADERS_PER_SLOT
    max_transactions: Annotated[int, Field(ge=0, le=1500)] = constants.MAX_TRANSACTIONS
    rewards: Rewards = Field(default_factory=Rewards)


class Poison(_Section):
    """How training data is altered."""

    kind: Literal["appended_mislabelled", "label_noise", "mirrored_labels", "targeted_flip", "backdoor"] = (
        constants.POISON_KIND
    )
    share: Share = constants.POISON_SHARE
    """Samples altered (or appended), as a share of the training set; of the source class in `targeted_flip`."""
    source: Label | None = None
    """Class relabelled by `targeted_flip`."""
    target: Label | None = None
    """Class that `targeted_flip` and `backdoor` aim at."""

    @model_validator(mode="after")
    def _has_its_classes(self) -> Self:
        needs = {"targeted_flip": {"source", "target"}, "backdoor": {"target"}}.get(self.kind, set())
        given = {name for name in ("source", "target") if getattr(self, name) is not None}
        if needs != given:
            wanted = " and ".join(sorted(needs)) or "neither source nor target"
            raise ValueError(f"kind {self.kind} takes {wanted}")
        if self.kind == "targeted_flip" and self.source == self.target:
            raise ValueError("source and target must differ")
        if self.share == 0:
            raise ValueError("share 0 alters nothing; write a larger one, or role: honest")
        return self


class Population(_Section):
    """Nodes that behave alike."""

    name: Name
    role: Literal["honest", "data_injection", "silent", "garbage"]
    count: PositiveInt
    stake: Coins = constants.STAKE_COINS
    """Bonded coins of each node."""
    colluding: bool = True
    """Whether data-injection attackers share one poisoned data set; alone, each poisons its own way."""
    poison: Poison | None = None
    """What data-injection attackers do to their data."""

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.role != "data_injection" and (self.poison is not None or "colluding" in self.model_fields_set):
            if self.poison is None and self.colluding:
                return self
            raise ValueError(f"poison and colluding belong to role data_injection, not to {self.role}")
        return self

    def get_poison(self) -> Poison | None:
        """Return how this population's data is altered, or None if it is not."""
        if self.role != "data_injection":
            return None
        return self.poison or Poison()


class Users(_Section):
    """Parties that send each other coins."""

    count: Annotated[int, Field(ge=0, le=100_000)] = constants.USERS
    balance: Coins = constants.USER_BALANCE_COINS
    transactions: Annotated[int, Field(ge=0)] = constants.USER_TRANSACTIONS
    per_second: PositiveFloat = constants.USER_TRANSACTIONS_PER_S
    fee: Coins = constants.USER_FEE_COINS

    @model_validator(mode="after")
    def _can_transfer(self) -> Self:
        if self.transactions and self.count < 2:
            raise ValueError("transactions need at least 2 users; write transactions: 0 for none")
        return self


class Network(_Section):
    """Who is linked to whom."""

    topology: Literal["full_mesh", "ring", "random_regular", "small_world"] = constants.TOPOLOGY
    degree: Annotated[int, Field(ge=2)] = constants.DEGREE
    rewiring: Share = constants.REWIRING
    client_links: PositiveInt = constants.CLIENT_LINKS


class Run(_Section):
    """When a run ends."""

    time_limit_s: PositiveFloat = constants.TIME_LIMIT_S
    linger_s: Annotated[float, Field(ge=0, le=3600)] = constants.LINGER_S


class Output(_Section):
    """What a run leaves behind besides its records."""

    pictures: bool = constants.PICTURES


class Scenario(_Section):
    """One run, completely."""

    name: Name
    description: Annotated[str, Field(min_length=1, max_length=400)]
    seed: Annotated[int, Field(ge=0, lt=2**62)] = constants.SEED
    engine: Literal["processes"] = constants.ENGINE
    dataset: Dataset = Field(default_factory=Dataset)
    job: Job = Field(default_factory=Job)
    protocol: Protocol = Field(default_factory=Protocol)
    populations: Annotated[list[Population], Field(min_length=1)]
    users: Users = Field(default_factory=Users)
    network: Network = Field(default_factory=Network)
    run: Run = Field(default_factory=Run)
    output: Output = Field(default_factory=Output)

    @property
    def node_count(self) -> int:
        """Number of nodes of all populations."""
        return sum(population.count for population in self.populations)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for fault in (self._find_population_fault(), self._find_protocol_fault(), self._find_network_fault()):
            if fault:
                raise ValueError(fault)
        return self

    def _find_population_fault(self) -> str | None:
        doubled = [name for name, count in Counter(p.name for p in self.populations).items() if count > 1]
        if doubled:
            return f"populations: the name {doubled[0]!r} stands twice; give each population its own"
        if "employer" in {p.name for p in self.populations} or "users" in {p.name for p in self.populations}:
            return "populations: 'employer' and 'users' are taken; choose another name"
        if all(population.role != "honest" for population in self.populations):
            return "populations: no honest node; at least one population needs role: honest"
        return None

    def _find_protocol_fault(self) -> str | None:
        bonded = sum(population.count for population in self.populations if population.stake > 0)
        confidence = self.protocol.confidence
        if self.protocol.stakeholders > bonded:
            return f"protocol.stakeholders: {self.protocol.stakeholders} cannot be drawn from {bonded} bonded nodes"
        if confidence.count is not None and confidence.count > bonded:
            return f"protocol.confidence.count: {confidence.count} can never be reached by {bonded} bonded nodes"
        needed = self._count_needed_declarations()
        if needed > MAX_DECLARATIONS:
            return (
                f"protocol.confidence: a header would need {needed} declarations and can hold {MAX_DECLARATIONS}; "
                "lower count or stake_share"
            )
        return None

    def _count_needed_declarations(self) -> int:
        """Return the fewest declarations that give a header confidence."""
        confidence = self.protocol.confidence
        if confidence.stake_share is None:
            return confidence.count or 0
        stakes = sorted((p.stake for p in self.populations for _ in range(p.count)), reverse=True)
        bound = confidence.stake_share * sum(stakes)
        held = accumulate(stakes)
        return next((number for number, share in enumerate(held, start=1) if share > bound), len(stakes))

    def _find_network_fault(self) -> str | None:
        network, nodes = self.network, self.node_count
        if network.topology in ("random_regular", "small_world"):
            if network.degree >= nodes:
                return f"network.degree: {network.degree} links need more than {nodes} nodes"
            if network.topology == "random_regular" and network.degree * nodes % 2:
                return f"network.degree: {nodes} nodes of degree {network.degree} have half a link; make one even"
        links = nodes - 1 if network.topology == "full_mesh" else network.degree
        if max(links, min(nodes, network.client_links)) > MAX_PROCESS_LINKS:
            return (
                f"network: a party of the process engine has at most {MAX_PROCESS_LINKS} links, this scenario "
                f"needs {max(links, min(nodes, network.client_links))}; choose topology: random_regular or fewer links"
            )
        return None

    def to_yaml(self) -> str:
        """Return the resolved scenario, every key written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def compute_fingerprint(self, code_version: str) -> str:
        """Return 12 hex digits over every key and the version of the code."""
        text = json.dumps([self.model_dump(mode="json"), code_version], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


# ---- reading ----


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice."""


def _read_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _read_mapping)


def find_scenario(name: str) -> Path:
    """Return the file of a shipped scenario's name or of a path.

    Raises:
        ScenarioError: There is no such file.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        if path.is_file():
            return path
        raise ScenarioError(f"{name}: no such file")
    shipped = {file.stem: file for file in sorted(CONFIGS.glob("*.yaml"))}
    if name in shipped:
        found = shipped[name]
        return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "write a path ending in .yaml, or one of " + ", ".join(shipped)
    raise ScenarioError(f"{name}: no such scenario; {hint}")


def load_scenario(path: Path, settings: tuple[str, ...] = (), *, seed: int | None = None) -> Scenario:
    """Return a scenario file, resolved.

    Args:
        path: The YAML file.
        settings: Overrides as ``dotted.key=value``; list items by number or population name.
        seed: Replaces the file's seed.

    Raises:
        ScenarioError: The file cannot be read or is not a valid scenario.
    """
    raw = _read_yaml(path)
    for setting in settings:
        _apply_setting(raw, setting)
    if seed is not None:
        raw["seed"] = seed
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError("\n".join(_explain(path, item) for item in error.errors())) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from None
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ScenarioError(f"{where}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ScenarioError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ScenarioError(f"{path}: wants keys such as name, description and populations at the top level")
    return raw


def _apply_setting(raw: dict[str, Any], setting: str) -> None:
    """Write one ``key=value`` into the raw mapping; whether the key exists is judged with the rest."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ScenarioError(f"--set {setting}: write it as dotted.key=value")
    try:
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError:
        raise ScenarioError(f"--set {setting}: the value is not valid YAML") from None
    target: Any = raw
    *path, last = key.split(".")
    for step in path:
        target = _step_into(target, step, setting)
    if isinstance(target, list):
        target[_find_item(target, last, setting)] = value
    elif isinstance(target, dict):
        target[last] = value
    else:
        raise ScenarioError(f"--set {setting}: {'.'.join(path)} has no keys below it")


def _step_into(target: Any, step: str, setting: str) -> Any:  # noqa: ANN401 - raw YAML
    if isinstance(target, list):
        return target[_find_item(target, step, setting)]
    if not isinstance(target, dict):
        raise ScenarioError(f"--set {setting}: there is nothing below {step!r}")
    if target.get(step) is None:
        target[step] = {}
    return target[step]


def _find_item(items: list[Any], step: str, setting: str) -> int:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if step in names:
        return names.index(step)
    if step.isdecimal() and int(step) < len(items):
        return int(step)
    known = ", ".join(str(name) for name in names if name)
    raise ScenarioError(
        f"--set {setting}: no item {step!r}; write 0 to {len(items) - 1}" + (f" or {known}" if known else "")
    )


# ---- explaining ----


def _explain(path: Path, error: Any) -> str:  # noqa: ANN401 - pydantic's error details
    where = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        allowed = _get_keys(error["loc"][:-1])
        close = difflib.get_close_matches(str(error["loc"][-1]), allowed, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "allowed here: " + ", ".join(allowed)
        return f"{path}: {where}: unknown key; {hint}"
    if error["type"] == "missing":
        return f"{path}: {where}: missing; this key has no default"
    got = "" if isinstance(error["input"], dict | list) else f", got {error['input']!r}"
    return f"{path}: {where + ': ' if where else ''}{message[0].lower()}{message[1:]}{got}"


def _get_keys(location: tuple[str | int, ...]) -> list[str]:
    """Return the keys a scenario may have at a place."""
    section: Any = Scenario
    for part in location:
        if isinstance(part, str) and isinstance(section, type) and issubclass(section, BaseModel):
            section = _find_section(section.model_fields[part].annotation)
    return list(section.model_fields)


def _find_section(annotation: Any) -> Any:  # noqa: ANN401 - a type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for item in get_args(annotation) if (found := _find_section(item)) is not None), None)
