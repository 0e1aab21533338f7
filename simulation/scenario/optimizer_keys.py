"""The key `optimizer` of a job: the name of one of ours, or a plug-in's with keys of its own."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import PlainSerializer, TypeAdapter, WrapValidator

from simulation.scenario.error_messages import show
from simulation.scenario.own_keys import refuse_unknown, refuse_what_none_can_agree_on, suggest
from simulation.training import PLUGIN_OPTIMIZERS, OptimizerKeys, list_optimizers, read_optimizer_keys

Optimizer = Literal["adam", "sgd"]

_SHIPPED: Final[TypeAdapter[Any]] = TypeAdapter(Optimizer)


def _read(raw: Any, _: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return the name of an optimiser of the package, or the keys of a plug-in's."""
    if isinstance(raw, OptimizerKeys):
        return raw
    named = {"name": raw} if isinstance(raw, str) else raw
    name = named.get("name") if isinstance(named, dict) else None
    kind = PLUGIN_OPTIMIZERS.find(name)
    if kind is None:
        if PLUGIN_OPTIMIZERS.list_names() and isinstance(name, str) and name not in list_optimizers():
            raise ValueError(f"no optimiser is called {show(name)}; {suggest(name, list_optimizers())}")
        return _SHIPPED.validate_python(raw, strict=True)
    refuse_unknown(named, tuple(kind.keys.model_fields))
    keys = read_optimizer_keys(named)
    refuse_what_none_can_agree_on(keys.model_dump(mode="json"))
    return keys


def _write(optimizer: Any) -> Any:  # noqa: ANN401 - as it was read
    return optimizer.model_dump(mode="json") if isinstance(optimizer, OptimizerKeys) else optimizer


if TYPE_CHECKING:
    AnyOptimizer = Optimizer | OptimizerKeys
else:
    # To those who list what a key may hold it is one of ours.
    AnyOptimizer = Annotated[Optimizer, WrapValidator(_read), PlainSerializer(_write)]
