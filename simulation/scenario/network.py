"""The `network` section of a scenario file: links, what they do to frames, and faults with a time."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Self, get_args

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    WrapValidator,
    model_serializer,
    model_validator,
)

from simulation.foundation import PluginTable
from simulation.scenario.defaults import from_constant, left_out
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import PositiveFloat, PositiveInt, Section, Share
from simulation.scenario.own_keys import OwnKeys, build_own_section, refuse_unknown, suggest

Names = Annotated[list[str], Field(min_length=1)]


class NetworkPart(NamedTuple):
    """A topology or latency of a plug-in."""

    function: Callable[..., Any]
    keys: OwnKeys
    """Keys that it alone has."""


Topology = Literal["full_mesh", "ring", "random_regular", "small_world", "two_level", "edges"]

PLUGIN_TOPOLOGIES: Final[PluginTable[NetworkPart]] = PluginTable("topology", get_args(Topology).__contains__)
"""Topologies of plug-ins; `simulation.scenario.world.topology` calls them."""


class PluginTopology(Section):
    """A topology of a plug-in; a subclass for each has its keys."""

    name: str

    @property
    def part(self) -> NetworkPart:
        """What is known of it."""
        return _find_part(PLUGIN_TOPOLOGIES, self.name)

    @property
    def own(self) -> Mapping[str, Any]:
        """Its keys."""
        return {key: getattr(self, key) for key in self.part.keys}

    def __hash__(self) -> int:
        """Return the same number for equal ones, whatever their keys hold."""
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process, with the same plug-ins in force, make it again."""
        return _make_topology, (self.model_dump(mode="json"),)


def _find_part(table: PluginTable[NetworkPart], name: str) -> NetworkPart:
    found = table.find(name)
    if found is None:
        raise KeyError(f"{name}: its plug-in is not in force")
    return found


def _make_topology(raw: dict[str, Any]) -> PluginTopology:
    keys = _find_part(PLUGIN_TOPOLOGIES, raw["name"]).keys
    return build_own_section(PluginTopology, "name", raw["name"], keys).model_validate(raw)


_SHIPPED: Final[TypeAdapter[Any]] = TypeAdapter(Topology)


def _read_topology(raw: Any, _: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return the name of a topology of the package, or a topology of a plug-in."""
    if isinstance(raw, PluginTopology):
        return raw
    named = {"name": raw} if isinstance(raw, str) else raw
    name = named.get("name") if isinstance(named, dict) else None
    part, others = PLUGIN_TOPOLOGIES.find(name), PLUGIN_TOPOLOGIES.list_names()
    if part is None:
        if others and isinstance(name, str) and name not in get_args(Topology):
            raise ValueError(f"no topology is called {show(name)}; {suggest(name, (*get_args(Topology), *others))}")
        return _SHIPPED.validate_python(raw, strict=True)
    refuse_unknown(named, ("name", *part.keys))
    return _make_topology(named)


def _write_topology(topology: Any) -> Any:  # noqa: ANN401 - as it was read
    return topology.model_dump(mode="json") if isinstance(topology, PluginTopology) else topology


if TYPE_CHECKING:
    AnyTopology = Topology | PluginTopology
else:
    # To those who list what a key may hold it is one of ours.
    AnyTopology = Annotated[Topology, WrapValidator(_read_topology), PlainSerializer(_write_topology)]


class Latency(Section):
    """How long a frame is under way."""

    kind: Literal["constant", "uniform", "lognormal", "regions"] = from_constant("LATENCY_KIND")
    ms: Annotated[float, Field(ge=0, le=3_600_000)] = from_constant("LATENCY_MS")
    """Milliseconds: the constant, the least of `uniform`, the median of `lognormal`, outside all `regions`."""
    max_ms: Annotated[float, Field(ge=0, le=3_600_000)] | None = None
    """Most milliseconds of `uniform`."""
    sigma: Annotated[float, Field(ge=0, le=5)] = from_constant("LATENCY_SIGMA")
    """Standard deviation of the logarithm in `lognormal`."""
    regions: list[Names] = Field(default_factory=list)
    """Nodes or populations of each region."""
    matrix_ms: list[list[Annotated[float, Field(ge=0, le=3_600_000)]]] = Field(default_factory=list)
    """Milliseconds from region (row) to region (column)."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if isinstance(self, PluginLatency):  # which has rules of its own
            return self
        if self.kind == "uniform" and (self.max_ms is None or self.max_ms < self.ms):
            raise Inconsistency("kind", "uniform needs max_ms, at least ms").to_error()
        if self.kind != "uniform" and self.max_ms is not None:
            raise Inconsistency("max_ms", "belongs to kind: uniform; write null, or that kind").to_error()
        size = len(self.regions)
        if self.kind != "regions" and self.matrix_ms:
            raise Inconsistency("matrix_ms", "belongs to kind: regions; leave it out, or write that kind").to_error()
        if (self.kind == "regions") != (size > 0):
            raise Inconsistency("kind", "regions needs regions and matrix_ms, which belong to no other kind").to_error()
        if len(self.matrix_ms) != size or any(len(row) != size for row in self.matrix_ms):
            raise Inconsistency(
                "matrix_ms", f"write {size} rows of {size} numbers, one for each of the regions"
            ).to_error()
        return self


PLUGIN_LATENCIES: Final[PluginTable[NetworkPart]] = PluginTable(
    "latency", get_args(Latency.model_fields["kind"].annotation).__contains__
)
"""Latencies of plug-ins; `simulation.engines.network_model` calls them."""

_LATENCY_KEYS: Final = ("kind", "ms", "max_ms")
"""Keys of ours that a latency of a plug-in has too."""


class PluginLatency(Latency):
    """A latency of a plug-in, from `ms` to `max_ms`; a subclass for each has its keys."""

    max_ms: Annotated[float, Field(ge=0, le=3_600_000)]
    """Most milliseconds, by which others reckon how long a block may be under way."""

    @property
    def part(self) -> NetworkPart:
        """What is known of it."""
        return _find_part(PLUGIN_LATENCIES, self.kind)

    @property
    def own(self) -> Mapping[str, Any]:
        """Its keys."""
        return {key: getattr(self, key) for key in self.part.keys}

    @model_validator(mode="after")
    def _goes_from_least_to_most(self) -> Self:
        if self.max_ms < self.ms:
            raise Inconsistency("max_ms", f"write {self.ms:g} or more, which ms is").to_error()
        return self

    @model_serializer(mode="wrap")
    def _leave_out_others(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = serialise(self)
        return {key: value for key, value in dumped.items() if key in _LATENCY_KEYS or key in self.part.keys}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process, with the same plug-ins in force, make it again."""
        return _make_latency, (self.model_dump(mode="json"),)


def _make_latency(raw: dict[str, Any]) -> PluginLatency:
    keys = _find_part(PLUGIN_LATENCIES, raw["kind"]).keys
    return build_own_section(PluginLatency, "kind", raw["kind"], keys).model_validate(raw)


def _read_latency(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return a latency of a plug-in; what is none is left for others to judge."""
    kind = raw.get("kind") if isinstance(raw, dict) else None
    part, others = PLUGIN_LATENCIES.find(kind), PLUGIN_LATENCIES.list_names()
    if part is None:
        shipped = get_args(Latency.model_fields["kind"].annotation)
        if others and isinstance(kind, str) and kind not in shipped:
            what = f"no latency is called {show(kind)}; {suggest(kind, (*shipped, *others))}"
            raise Inconsistency("kind", what).to_error()
        return raw
    refuse_unknown(raw, (*_LATENCY_KEYS, *part.keys))
    return _make_latency(raw)


AnyLatency = Annotated[SerializeAsAny[Latency], BeforeValidator(_read_latency)]


class _Interval(Section):
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

    groups: Annotated[list[Names], Field(min_length=2)]
    """Names of nodes, populations, `employer` or `users`."""


class Eclipse(_Interval):
    """Victims that are cut off from everybody but some, one another included."""

    victims: Names
    by: Names
    """Whom they still reach."""


class Outage(Section):
    """A node that is down for a while; down from 0 is a late join."""

    node: str
    down_s: Annotated[float, Field(ge=0, le=1e8)]
    up_s: Annotated[float, Field(gt=0, le=1e8)] | None = None
    """When it starts again; null for never."""
    disk: Literal["kept", "lost"] = from_constant("OUTAGE_DISK")
    """Whether it still has its chain then."""

    @model_validator(mode="after")
    def _comes_up_after_it_goes_down(self) -> Self:
        if self.up_s is not None and self.up_s <= self.down_s:
            raise ValueError("up_s must be later than down_s")
        return self


class Network(Section):
    """Who is linked to whom, and what links do to frames."""

    topology: AnyTopology = from_constant("TOPOLOGY")
    degree: Annotated[int, Field(ge=2)] = from_constant("DEGREE")
    rewiring: Share = from_constant("REWIRING")
    main_nodes: PositiveInt = from_constant("MAIN_NODES")
    """`two_level`: the first so many nodes are a full mesh; each other one is linked to `degree` of them."""
    edges: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)
    """`edges`: the links, by node labels."""
    client_links: PositiveInt = from_constant("CLIENT_LINKS")
    latency: AnyLatency = left_out()
    bandwidth_mbps: PositiveFloat | None = None
    """Megabits a second of each link and direction; null for no limit."""
    loss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of frames that never arrive."""
    duplication: Share = 0.0
    """Share of frames that arrive twice."""
    reordering: Share = 0.0
    """Share of frames that are delayed further, by up to `reordering_ms`."""
    reordering_ms: Annotated[float, Field(ge=0, le=3_600_000)] = from_constant("REORDERING_MS")
    partitions: list[Partition] = Field(default_factory=list)
    eclipses: list[Eclipse] = Field(default_factory=list)
    outages: list[Outage] = Field(default_factory=list)
