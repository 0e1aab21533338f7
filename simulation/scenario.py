"""Scenario files: strict reading, complete resolution, and a fingerprint.

A scenario is YAML. An unknown key, a wrong type or an impossible value is refused with the file, the path of the key
and what to write instead. What a file leaves out comes from `simulation.constants`.
"""

import difflib
import hashlib
import json
import re
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocol.books import MAX_DECLARATIONS
from protocol.types import MICRO_COINS_PER_COIN
from simulation import constants

Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Coins = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
Label = Annotated[int, Field(ge=0, le=9)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

CONFIGS: Final = Path(__file__).resolve().parent.parent / "configs"
"""Where the shipped scenarios are."""

MAX_JOURNALS: Final = 500
"""Nodes that may keep a journal each: each is an open file."""

MAX_PROCESS_LINKS: Final = 240
"""Links of one node that the process engine can hand over (the forkserver passes at most 256 descriptors)."""


class ScenarioError(ValueError):
    """The scenario is wrong; the text says where, and what to write instead."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


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
    stake_share: Annotated[float, Field(ge=0, le=0.999999)] | None = None
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
    count: Annotated[int, Field(ge=1, le=100_000)]
    stake: Coins = constants.STAKE_COINS
    """Bonded coins of each node."""
    speed: PositiveFloat = constants.SPEED
    """Training speed in the virtual engine, as a multiple of `virtual.step_us`."""
    colluding: bool = True
    """Whether data-injection attackers share one poisoned data set; alone, each poisons its own way."""
    poison: Poison | None = None
    """What data-injection attackers do to their data."""

    @model_validator(mode="before")
    @classmethod
    def _name_the_poison(cls, raw: Any) -> Any:  # noqa: ANN401 - raw YAML
        """Write the default poison out, so that a resolved scenario does not change with the constants."""
        if isinstance(raw, dict) and raw.get("role") == "data_injection" and raw.get("poison") is None:
            return {**raw, "poison": {}}
        return raw

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.role != "data_injection" and (self.poison is not None or "colluding" in self.model_fields_set):
            if self.poison is None and self.colluding:
                return self
            raise ValueError(f"poison and colluding belong to role data_injection, not to {self.role}")
        return self

    def get_poison(self) -> Poison | None:
        """Return how this population's data is altered, or None if it is not."""
        return self.poison


class Users(_Section):
    """Parties that send each other coins."""

    count: Annotated[int, Field(ge=0, le=100_000)] = constants.USERS
    balance: Coins = constants.USER_BALANCE_COINS
    transactions: Annotated[int, Field(ge=0)] = constants.USER_TRANSACTIONS
    per_second: Annotated[float, Field(ge=1e-6, le=1e9)] = constants.USER_TRANSACTIONS_PER_S
    fee: Coins = constants.USER_FEE_COINS

    @model_validator(mode="after")
    def _can_transfer(self) -> Self:
        if self.transactions and self.count < 2:
            raise ValueError("transactions need at least 2 users; write transactions: 0 for none")
        return self


class Latency(_Section):
    """How long a frame is under way."""

    kind: Literal["constant", "uniform", "lognormal", "regions"] = constants.LATENCY_KIND
    ms: Annotated[float, Field(ge=0, le=3_600_000)] = constants.LATENCY_MS
    """Milliseconds: the constant, the least of `uniform`, the median of `lognormal`, outside all `regions`."""
    max_ms: Annotated[float, Field(ge=0, le=3_600_000)] | None = None
    """Most milliseconds of `uniform`."""
    sigma: Annotated[float, Field(ge=0, le=5)] = constants.LATENCY_SIGMA
    """Standard deviation of the logarithm in `lognormal`."""
    regions: list[list[str]] = Field(default_factory=list)
    """Nodes or populations of each region."""
    matrix_ms: list[list[Annotated[float, Field(ge=0, le=3_600_000)]]] = Field(default_factory=list)
    """Milliseconds from region (row) to region (column)."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "uniform" and (self.max_ms is None or self.max_ms < self.ms):
            raise ValueError("kind uniform needs max_ms, at least ms")
        if self.kind != "uniform" and self.max_ms is not None:
            raise ValueError("max_ms belongs to kind uniform")
        size = len(self.regions)
        if (self.kind == "regions") != (size > 0):
            raise ValueError("regions and matrix_ms belong to kind regions, which needs both")
        if len(self.matrix_ms) != size or any(len(row) != size for row in self.matrix_ms):
            raise ValueError(f"matrix_ms wants {size} rows of {size} numbers")
        return self


class _Interval(_Section):
    """A fault with a beginning and an end, in seconds since the genesis."""

    start_s: Annotated[float, Field(ge=0, le=1e8)]
    heal_s: Annotated[float, Field(gt=0, le=1e8)]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.heal_s <= self.start_s:
            raise ValueError("heal_s must be later than start_s")
        return self


class Partition(_Interval):
    """Groups that cannot reach one another; parties in no group reach everybody."""

    groups: Annotated[list[list[str]], Field(min_length=2)]
    """Names of nodes, populations, `employer` or `users`."""


class Eclipse(_Interval):
    """Victims that are cut off from everybody but some."""

    victims: Annotated[list[str], Field(min_length=1)]
    by: Annotated[list[str], Field(min_length=1)]
    """Whom they still reach."""


class Outage(_Section):
    """A node that is down for a while; down from 0 is a late join."""

    node: str
    down_s: Annotated[float, Field(ge=0, le=1e8)]
    up_s: Annotated[float, Field(gt=0, le=1e8)] | None = None
    """When it starts again; null for never."""
    disk: Literal["kept", "lost"] = constants.OUTAGE_DISK
    """Whether it still has its chain then."""

    @model_validator(mode="after")
    def _comes_up_after_it_goes_down(self) -> Self:
        if self.up_s is not None and self.up_s <= self.down_s:
            raise ValueError("up_s must be later than down_s")
        return self


class Network(_Section):
    """Who is linked to whom, and what links do to frames."""

    topology: Literal["full_mesh", "ring", "random_regular", "small_world", "two_level", "edges"] = constants.TOPOLOGY
    degree: Annotated[int, Field(ge=2)] = constants.DEGREE
    rewiring: Share = constants.REWIRING
    main_nodes: PositiveInt = constants.MAIN_NODES
    """`two_level`: the first so many nodes are a full mesh; each other one is linked to `degree` of them."""
    edges: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)
    """`edges`: the links, by node labels."""
    client_links: PositiveInt = constants.CLIENT_LINKS
    latency: Latency = Field(default_factory=Latency)
    bandwidth_mbps: PositiveFloat | None = None
    """Megabits a second of each link and direction; null for no limit."""
    loss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of frames that never arrive."""
    duplication: Share = 0.0
    """Share of frames that arrive twice."""
    reordering: Share = 0.0
    """Share of frames that are delayed further, by up to `reordering_ms`."""
    reordering_ms: Annotated[float, Field(ge=0, le=3_600_000)] = constants.REORDERING_MS
    partitions: list[Partition] = Field(default_factory=list)
    eclipses: list[Eclipse] = Field(default_factory=list)
    outages: list[Outage] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_whole_neighbourhoods(self) -> Self:
        if self.topology == "small_world" and self.degree % 2:
            raise ValueError(f"degree: a small world needs an even number of links, got {self.degree}")
        return self


class Run(_Section):
    """When a run ends. With the virtual engine these are simulated seconds."""

    time_limit_s: Annotated[float, Field(gt=0, le=1e8)] = constants.TIME_LIMIT_S
    linger_s: Annotated[float, Field(ge=0, le=3600)] = constants.LINGER_S


class Virtual(_Section):
    """What only the virtual engine knows."""

    step_us: PositiveFloat = constants.STEP_US
    """Simulated microseconds of one training step at speed 1."""
    trainer: Literal["keras", "fake"] = constants.TRAINER
    """`fake` makes up results by hashing: no model comes out, and no TensorFlow is needed."""
    memoise_training: bool = constants.MEMOISE_TRAINING
    """Whether equal training is done once."""


class Output(_Section):
    """What a run leaves behind besides its records."""

    pictures: bool = constants.PICTURES
    records: Literal["all", "essential"] = constants.RECORDS
    """`essential` counts messages and trainings instead of recording each: for very large networks."""
    journal: bool = constants.JOURNAL
    """Whether each party's inputs are kept, for `replay`."""


class Scenario(_Section):
    """One run, completely."""

    name: Name
    description: Annotated[str, Field(min_length=1, max_length=400)]
    seed: Annotated[int, Field(ge=0, lt=2**62)] = constants.SEED
    engine: Literal["processes", "virtual"] = constants.ENGINE
    dataset: Dataset = Field(default_factory=Dataset)
    job: Job = Field(default_factory=Job)
    protocol: Protocol = Field(default_factory=Protocol)
    populations: Annotated[list[Population], Field(min_length=1)]
    users: Users = Field(default_factory=Users)
    network: Network = Field(default_factory=Network)
    run: Run = Field(default_factory=Run)
    virtual: Virtual = Field(default_factory=Virtual)
    output: Output = Field(default_factory=Output)

    @property
    def node_count(self) -> int:
        """Number of nodes of all populations."""
        return sum(population.count for population in self.populations)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        checks = (
            self._find_population_fault,
            self._find_protocol_fault,
            self._find_edge_fault,
            self._find_name_fault,
            self._find_network_fault,
            self._find_engine_fault,
        )
        fault = next((found for check in checks if (found := check())), None)
        if fault:
            raise ValueError(fault)
        return self

    def _find_population_fault(self) -> str | None:
        doubled = [name for name, count in Counter(p.name for p in self.populations).items() if count > 1]
        if doubled:
            return f"populations: the name {doubled[0]!r} stands twice; give each population its own"
        taken = sorted({"employer", "user", "users"} & {population.name for population in self.populations})
        if taken:
            return f"populations: the name {taken[0]!r} is taken; choose another one"
        if all(population.role != "honest" for population in self.populations):
            return "populations: no honest node; at least one population needs role: honest"
        return None

    def _find_protocol_fault(self) -> str | None:
        bonded = sum(item.count for item in self.populations if round(item.stake * MICRO_COINS_PER_COIN) > 0)
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

    def _find_name_fault(self) -> str | None:
        """Return what is wrong with the names of nodes that the network section uses."""
        labels = {f"{p.name}-{index}" for p in self.populations for index in range(p.count)}
        names = labels | {p.name for p in self.populations} | {"employer", "users"}
        network = self.network
        used = [(f"partitions.{i}.groups", n) for i, p in enumerate(network.partitions) for g in p.groups for n in g]
        used += [(f"eclipses.{i}", n) for i, e in enumerate(network.eclipses) for n in (*e.victims, *e.by)]
        used += [("latency.regions", name) for region in network.latency.regions for name in region]
        for where, name in used:
            if name not in names:
                return f"network.{where}: no node or population is called {name!r}"
        used = [(f"outages.{index}.node", outage.node) for index, outage in enumerate(network.outages)]
        used += [(f"edges.{index}", label) for index, edge in enumerate(network.edges) for label in edge]
        for where, label in used:
            if label not in labels:
                return f"network.{where}: no node is called {label!r}; nodes are population-number, such as honest-0"
        return None

    def _find_edge_fault(self) -> str | None:
        network, nodes = self.network, self.node_count
        if (network.topology == "edges") != bool(network.edges):
            return "network.edges: belongs to topology: edges, which needs it"
        if any(first == second for first, second in network.edges):
            return "network.edges: a node cannot be linked to itself"
        if network.topology == "two_level" and not network.degree <= network.main_nodes <= nodes:
            return f"network.main_nodes: wants {network.degree} (the degree) to {nodes}"
        return None

    def _find_engine_fault(self) -> str | None:
        if self.engine == "processes" and self.network.outages:
            return "network.outages: the process engine cannot take nodes down; write engine: virtual"
        if self.engine == "processes" and self.output.records != "all":
            return "output.records: the process engine records everything; write all, or engine: virtual"
        if self.output.journal and self.node_count > MAX_JOURNALS:
            return f"output.journal: a journal for each of {self.node_count} nodes is too many; write false"
        if self.engine == "processes" and self.network.bandwidth_mbps is not None:
            return "network.bandwidth_mbps: the process engine cannot slow a pipe down; write null, or engine: virtual"
        return None

    def _find_network_fault(self) -> str | None:
        network, nodes = self.network, self.node_count
        if network.topology in ("random_regular", "small_world"):
            if network.degree >= nodes:
                return f"network.degree: {network.degree} links need more than {nodes} nodes"
            if network.topology == "random_regular" and network.degree * nodes % 2:
                return f"network.degree: {nodes} nodes of degree {network.degree} have half a link; make one even"
        if self.engine == "virtual":
            return None
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


# YAML 1.1 reads 1e-3 as text; whoever writes a learning rate that way means the number.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+\Z"), list("-+0123456789")
)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _read_mapping)


def find_scenario(name: str) -> Path:
    """Return the file of a shipped scenario's name or of a path.

    Raises:
        ScenarioError: There is no such file.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        raise ScenarioError(f"{name}: no such file")
    shipped = {file.stem: file for file in sorted(CONFIGS.glob("*.yaml"))}
    if name in shipped:
        found = shipped[name]
        return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    if path.is_file():
        return path
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
