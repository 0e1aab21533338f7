"""Steps of optimisers in the graph of a stage.

`simulation.training.keras_trainer` imports this file, once it has prepared the process for TensorFlow.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.training.optimizers import OwnOptimizer, open_optimizer


class FusedOptimizer:
    """A Keras optimiser's rule as one TensorFlow kernel a variable, instead of a dozen operations; or a plug-in's rule.

    The formulas are Keras' own (Adam: Kingma and Ba, 2015, with the bias correction folded into the step size); only
    rounding differs. The state is part of the graph's variables and starts at zero with each stage.
    """

    def __init__(self, optimizer: keras.Optimizer | OwnOptimizer, variables: Sequence[keras.Variable]) -> None:
        """Take the rule from an optimiser and make room for its state."""
        self._optimizer = optimizer
        self._variables = [variable.value for variable in variables]
        if isinstance(optimizer, OwnOptimizer):
            slots = optimizer.kind.slots
        else:
            self._rate = float(optimizer.learning_rate)
            slots = 2 if isinstance(optimizer, keras.optimizers.Adam) else 0
        self._slots = [[tf.Variable(tf.zeros_like(v)) for v in self._variables] for _ in range(slots)]

    def reset(self) -> None:
        """Forget all earlier steps."""
        for slot in self._slots:
            for variable in slot:
                variable.assign(tf.zeros_like(variable))

    def apply(self, gradients: Sequence[tf.Tensor], step: tf.Tensor) -> list[tf.Operation]:
        """Return the operations that take step number ``step``, counted from 0.

        Raises:
            PluginError: A plug-in's optimiser fails, or returns something else than weights and a state.
        """
        adam = self._optimizer
        if isinstance(adam, OwnOptimizer):
            return self._apply_own(adam, gradients, step)
        if not isinstance(adam, keras.optimizers.Adam):
            return [
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=self._rate, delta=gradient)
                for variable, gradient in zip(self._variables, gradients, strict=True)
            ]
        power = tf.cast(step + 1, tf.float32)
        return [
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=tf.pow(adam.beta_1, power),
                beta2_power=tf.pow(adam.beta_2, power),
                lr=self._rate,
                beta1=adam.beta_1,
                beta2=adam.beta_2,
                epsilon=adam.epsilon,
                grad=gradient,
            )
            for variable, mean, square, gradient in zip(self._variables, *self._slots, gradients, strict=True)
        ]

    def _apply_own(self, own: OwnOptimizer, gradients: Sequence[tf.Tensor], step: tf.Tensor) -> list[tf.Operation]:
        number = tf.cast(step + 1, tf.float32)
        operations = []
        for variable, gradient, *slots in zip(self._variables, gradients, *self._slots, strict=True):
            before = [slot.read_value() for slot in slots]
            after, state = own.take_step(variable.read_value(), tf.convert_to_tensor(gradient), before, number)
            pairs = zip((variable, *slots), (after, *state), strict=True)
            operations += [place.assign(value, read_value=False) for place, value in pairs]
        return operations


def trace_own_step(job: TrainingJob, shapes: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 - a GraphDef
    """Return the graph of one step of a plug-in's optimiser for arrays of some shapes, and nothing else.

    Raises:
        PluginError: It fails, or returns something else than weights and a state.
        ValueError: The job's optimiser is not a plug-in's.
    """
    own = open_optimizer(job)
    if own is None:
        raise ValueError(f"{job.optimizer} is no optimiser of a plug-in")

    def take_steps(arrays: Sequence[Sequence[tf.Tensor]], number: tf.Tensor) -> list[Any]:
        return [own.take_step(weights, gradient, state, number) for weights, gradient, *state in arrays]

    arrays = [[tf.TensorSpec(shape, tf.float32)] * (2 + own.kind.slots) for shape in shapes]
    function = tf.function(take_steps, autograph=False)
    return function.get_concrete_function(arrays, tf.TensorSpec((), tf.float32)).graph.as_graph_def()
