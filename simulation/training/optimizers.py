"""Optimisers: those of the package by name, and those of plug-ins, which are a function of weights and their gradient.

A function of a plug-in gets and returns tensors and keeps nothing: what it remembers from one step to the next is
handed to it, and starts at zero with each stage. So it can be a part of the stage's graph, and be repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from protocol.mechanisms.proof_of_training.job import Setting, TrainingJob
from simulation.foundation import PluginError, PluginTable, blame_plugin, locate
from simulation.training.models import freeze, thaw

SHIPPED_OPTIMIZERS: Final = ("adam", "sgd")

MAX_SLOTS: Final = 8
"""Most arrays that an optimiser remembers for each array of weights; Adam has two."""


class OptimizerKeys(BaseModel):
    """The keys of a plug-in's optimiser in a scenario; a subclass for each has its own."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    name: str

    def __hash__(self) -> int:
        """Return the same number for equal ones, whatever their keys hold."""
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process, with the same plug-ins in force, make it again."""
        return read_optimizer_keys, (self.model_dump(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerKind:
    """All that is known of a plug-in's optimiser."""

    step: Callable[..., Any]
    """Takes ``(weights, gradient, state, rate, number)`` and its own keys; returns new weights and a new state."""
    slots: int
    """Arrays that its state has, each of the shape of the weights."""
    keys: type[OptimizerKeys]
    """What a scenario may say of it."""


PLUGIN_OPTIMIZERS: Final[PluginTable[OptimizerKind]] = PluginTable("optimiser", SHIPPED_OPTIMIZERS.__contains__)
"""Those of plug-ins."""


def list_optimizers() -> tuple[str, ...]:
    """Return the names of all optimisers."""
    return (*SHIPPED_OPTIMIZERS, *PLUGIN_OPTIMIZERS.list_names())


def find_optimizer(name: str) -> OptimizerKind:
    """Return an optimiser of a plug-in.

    Raises:
        KeyError: There is none of that name.
    """
    found = PLUGIN_OPTIMIZERS.find(name)
    if found is None:
        raise KeyError(f"{name}: no plug-in in force has this optimiser")
    return found


def read_optimizer_keys(raw: dict[str, Any]) -> OptimizerKeys:
    """Return the keys of a plug-in's optimiser.

    Raises:
        KeyError: There is none of that name.
        pydantic.ValidationError: It takes no such keys.
    """
    return find_optimizer(raw["name"]).keys.model_validate(raw)


def agree_on_optimizer(keys: str | OptimizerKeys) -> tuple[str, tuple[tuple[str, Setting], ...]]:
    """Return what a job says of an optimiser: its name, and its own keys by name in ascending order."""
    if isinstance(keys, str):
        return keys, ()
    own = keys.model_dump(mode="json", exclude={"name"})
    return keys.name, tuple((key, freeze(own[key])) for key in sorted(own))


@dataclass(frozen=True, slots=True)
class OwnOptimizer:
    """A plug-in's optimiser with its keys."""

    kind: OptimizerKind
    keys: OptimizerKeys
    rate: float
    """Step size of the job."""

    def take_step(self, weights: Any, gradient: Any, state: Sequence[Any], number: Any) -> tuple[Any, Sequence[Any]]:  # noqa: ANN401 - tensors
        """Return what a step makes of an array of weights, and of what is remembered for it.

        Args:
            weights: The array.
            gradient: Mean gradient of the loss by these weights.
            state: As many arrays of this shape as the optimiser has slots.
            number: Number of the step in its stage, from 1.

        Raises:
            PluginError: The function fails, or returns something else.
        """
        own = {key: getattr(self.keys, key) for key in type(self.keys).model_fields if key != "name"}
        try:
            returned = self.kind.step(weights, gradient, tuple(state), self.rate, number, **own)
        except Exception as error:
            raise PluginError(blame_plugin(error) or f"{locate(self.kind.step)}: {error}") from error
        fault = self._find_fault(returned, weights)
        if fault is not None:
            raise PluginError(f"{locate(self.kind.step)}: the optimiser {self.keys.name!r} returned {fault}")
        after, remembered = returned
        return after, remembered

    def _find_fault(self, returned: Any, weights: Any) -> str | None:  # noqa: ANN401 - a plug-in may return anything
        """Return in which way this is no step, and what it should be; None where it is one."""
        if not isinstance(returned, tuple) or len(returned) != 2:
            what = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else _describe(returned)
            return f"{what}; return (weights, state)"
        after, state = returned
        if not isinstance(state, tuple | list):
            return f"{_describe(state)} as its state; return a tuple of {self.kind.slots}"
        if _describe(after) != _describe(weights):
            return f"{_describe(after)} as weights; return {_describe(weights)}"
        if len(state) != self.kind.slots:
            return f"a state of {len(state)}; it is registered with slots={self.kind.slots}"
        other = next((item for item in state if _describe(item) != _describe(weights)), None)
        return f"{_describe(other)} in its state; return {_describe(weights)}" if other is not None else None


def _describe(thing: Any) -> str:  # noqa: ANN401 - a plug-in may return anything
    dtype, shape = getattr(thing, "dtype", None), getattr(thing, "shape", None)
    if dtype is None or shape is None:
        return "nothing" if thing is None else f"a {type(thing).__name__}"
    return f"{getattr(dtype, 'name', dtype)} of shape {shape}"


def open_optimizer(job: TrainingJob) -> OwnOptimizer | None:
    """Return the optimiser of a job, if it is a plug-in's; None for one of the package.

    Raises:
        KeyError: It is of a plug-in that is not in force.
        pydantic.ValidationError: It takes no such keys.
    """
    if job.optimizer in SHIPPED_OPTIMIZERS:
        return None
    own = {key: thaw(value) for key, value in job.optimizer_settings}
    keys = read_optimizer_keys({"name": job.optimizer, **own})
    return OwnOptimizer(find_optimizer(job.optimizer), keys, job.learning_rate)
