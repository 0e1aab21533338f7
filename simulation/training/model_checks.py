"""Whether a network can be trained by many nodes that must all come to the same weights."""

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation import PluginError, locate
from simulation.training.data_sets import DataForm
from simulation.training.keras_trainer import KerasTrainer, use_one_thread
from simulation.training.models import Shape, open_model
from simulation.training.optimizers import find_optimizer
from simulation.training.samples import TrainingSet, compute_initial_weights

REPEATABLE: Final = frozenset(
    {
        "Case",
        "If",
        "ReadVariableOp",
        "ResourceApplyAdam",
        "ResourceApplyGradientDescent",
        "StatefulPartitionedCall",
        "While",
    }
)
"""Operations with a state that a stage may have: they read weights, step, and call others."""

REPEATABLE_STEPS: Final = frozenset({"Case", "If", "StatefulPartitionedCall", "While"})
"""Operations with a state that a plug-in's optimiser may have: they call others; what it remembers is handed to it."""


def find_model_fault(job: TrainingJob) -> str | None:
    """Return why the model of a job cannot be trained, or not repeatably, and what to write instead; None where it can.

    It is built and one step of it is made into a graph, in this process; nothing is trained.
    """
    model = open_model(job)
    use_one_thread()
    try:
        network = model.build()
    except Exception as error:  # noqa: BLE001 - whoever has written it may raise anything
        return _tell(model.name, error)
    fault = _find_shape_fault(network, model.form, model.list_shapes()) or _find_state_fault(network)
    return f"{model.name}: {fault}" if fault is not None else _find_step_fault(model.name, job, model.form)


def find_optimizer_fault(job: TrainingJob) -> str | None:
    """Return why a plug-in's optimiser cannot take a job's steps, or not repeatably; None where it can.

    It is made into a graph twice, in this process; nothing is trained.
    """
    from simulation.training.fused_optimizer import trace_own_step  # noqa: PLC0415 - after `keras_trainer` alone

    use_one_thread()
    shapes = [weights.shape for weights in compute_initial_weights(job)]
    try:
        graphs = [trace_own_step(job, shapes) for _ in range(2)]
    except PluginError as error:
        return str(error)
    found = sorted(set(_list_stateful(graphs[0])) - REPEATABLE_STEPS)
    if found:
        return f"{_place(job)} has {', '.join(found)}, which keeps or draws something, so no node could check another"
    first, again = ([(n.op, n.attr["value"].SerializeToString()) for n in _list_nodes(graph)] for graph in graphs)
    if first != again:
        return f"{_place(job)} is another one each time it is called, so no node could check another; draw nothing"
    return None


def _place(job: TrainingJob) -> str:
    return f"{locate(find_optimizer(job.optimizer).step)}: the optimiser {job.optimizer!r}"


def _tell(name: str, error: Exception) -> str:
    what = " ".join(str(error).split())[:200]
    return f"{name} cannot be built: {type(error).__name__}: {what}"


def _find_shape_fault(network: Any, form: DataForm, told: Any) -> str | None:  # noqa: ANN401 - whatever was built
    """Return what is wrong with what goes in and what comes out."""
    taken, given = getattr(network, "input_shape", None), getattr(network, "output_shape", None)
    if not isinstance(taken, tuple) or not isinstance(given, tuple):
        return "it must be a Keras model with one input and one output, whose shapes are known"
    (_, *inputs), (_, *outputs) = taken, given
    if None in inputs or prod(inputs) != form.numbers:
        return f"it takes {_show(inputs)}, and a sample has {form.numbers} numbers; build it for {_show(form.shape)}"
    if tuple(outputs) != (form.classes,):
        return f"it gives {_show(outputs)}, and there are {form.classes} classes; give one number (logit) for each"
    if getattr(getattr(network.layers[-1], "activation", None), "__name__", "") in ("softmax", "sigmoid"):
        return "it gives probabilities, and the loss wants logits; leave the activation of its last layer out"
    found: list[Shape] = [tuple(weight.shape) for weight in network.weights]
    if told is not None and found != list(told):
        return f"its weights have the shapes {found}, list_shapes says {list(told)}"
    return None


def _show(shape: Any) -> str:  # noqa: ANN401 - any sequence, with None where a shape is not known
    return f"({', '.join(map(str, shape))})"


def _find_state_fault(network: Any) -> str | None:  # noqa: ANN401 - whatever was built
    """Return variables that are no weights which a stage trains."""
    if not network.trainable_variables:
        return "it has no weights to train"
    trained = {id(variable) for variable in network.trainable_variables}
    others = [variable.path for variable in network.variables if id(variable) not in trained]
    if others:
        return (
            f"{others[0]} is not trained, and a stage may depend on weights alone; leave out layers that draw or "
            "count, such as Dropout and BatchNormalization, or that are frozen"
        )
    other = next((variable for variable in network.trainable_variables if variable.dtype != "float32"), None)
    return f"{other.path} is {other.dtype}; all weights must be float32" if other is not None else None


def _find_step_fault(name: str, job: TrainingJob, form: DataForm) -> str | None:
    """Return an operation of a step that need not come to the same each time."""
    samples = TrainingSet(np.zeros((1, form.numbers), np.uint8), np.zeros(1, np.uint8))
    try:
        plain = replace(job, steps_per_stage=1, batch_size=2, optimizer="sgd", optimizer_settings=())
        trainer = KerasTrainer(plain, samples)
    except Exception as error:  # noqa: BLE001 - whoever has written it may raise anything
        return _tell(name, error)
    found = sorted(set(_list_stateful(trainer.get_graph())) - REPEATABLE)
    if found:
        return f"{name}: {', '.join(found)} does not come to the same each time, so no node could check another"
    return None


def _list_nodes(graph: Any) -> list[Any]:  # noqa: ANN401 - what TensorFlow calls a GraphDef
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


def _list_stateful(graph: Any) -> Iterator[str]:  # noqa: ANN401 - what TensorFlow calls a GraphDef
    """Yield the names of operations in a graph that have a state, or draw."""
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415 - there is no public table of operations

    for name in {node.op for node in _list_nodes(graph)}:
        told = op_def_registry.get(name)
        if told is None or told.is_stateful:
            yield name
