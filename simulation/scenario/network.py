"""The `network` section of a scenario file: links, what they do to frames, and faults with a time."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulation.scenario.defaults import from_constant, left_out
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import PositiveFloat, PositiveInt, Section, Share

Names = Annotated[list[str], Field(min_length=1)]


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

    topology: Literal["full_mesh", "ring", "random_regular", "small_world", "two_level", "edges"] = from_constant(
        "TOPOLOGY"
    )
    degree: Annotated[int, Field(ge=2)] = from_constant("DEGREE")
    rewiring: Share = from_constant("REWIRING")
    main_nodes: PositiveInt = from_constant("MAIN_NODES")
    """`two_level`: the first so many nodes are a full mesh; each other one is linked to `degree` of them."""
    edges: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)
    """`edges`: the links, by node labels."""
    client_links: PositiveInt = from_constant("CLIENT_LINKS")
    latency: Latency = left_out()
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
