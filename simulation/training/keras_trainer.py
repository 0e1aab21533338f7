"""Training with Keras: a whole stage is one compiled graph call that returns the loss of every step.

This file imports Keras and TensorFlow before any other does. Import it in the process that trains, after
`simulation.training.profiles.prepare_environment`.
"""

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.training.models import open_model
from simulation.training.optimizers import open_optimizer
from simulation.training.profiles import prepare_environment
from simulation.training.samples import (
    TrainingSet,
    Weights,
    compute_initial_weights,
    compute_stage_positions,
    compute_weights_digest,
)
from simulation.training.trainer import StageOutcome


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what native code writes to standard error, as TensorFlow does before its log level counts."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Let packages seem absent: Keras loads some at once that only its wrappers and converters need.

    They cost each run 1.3 s of 3.2 s and a third of the modules, and looking for garbage among modules another 0.4 s.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: not to be had
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()
        for name in hidden:
            del sys.modules[name]


prepare_environment()
with _quiet(), _without("matplotlib", "pandas", "scipy", "sklearn"):
    import keras
    import tensorflow as tf

    from simulation.training.fused_optimizer import FusedOptimizer

keras.config.set_image_data_format("channels_last")  # whatever this machine's keras.json says
keras.config.set_floatx("float32")


def use_one_thread() -> None:
    """Give TensorFlow one thread: nodes share the machine, and one thread keeps sums in one order."""
    threading = tf.config.threading
    if (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()) != (1, 1):
        threading.set_intra_op_parallelism_threads(1)
        threading.set_inter_op_parallelism_threads(1)


def can_use_one_thread() -> bool:
    """Give TensorFlow one thread; return whether that could be done, which it cannot once it has computed with more."""
    try:
        use_one_thread()
    except RuntimeError:
        return False
    return True


def seed_keras(seed: int) -> None:
    """Seed every generator Keras draws from; a forked process would go on with its siblings' draws."""
    keras.utils.set_random_seed(seed % 2**32)


def describe_model(model: keras.Model) -> dict[str, Any]:
    """Return the configuration of a model, as the JSON of a ``.keras`` file has it."""
    described: dict[str, Any] = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    return described


def load_weights(model: keras.Model, path: Path) -> None:
    """Give a model the weights of a ``.keras`` file; nothing else of the file is read."""
    model.load_weights(path)


def build_model(job: TrainingJob) -> keras.Model:
    """Return the job's network: a sample's numbers in, a logit for each class out."""
    return open_model(job).build()


def draw_weights(job: TrainingJob) -> Weights:
    """Return what a network's Keras initialisers draw under the job's seed."""
    seed_keras(job.weights_seed)
    return [np.asarray(array) for array in build_model(job).get_weights()]


def build_optimizer(job: TrainingJob) -> keras.Optimizer:
    """Return a fresh Keras optimiser of the job."""
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[job.optimizer](learning_rate=job.learning_rate)


class KerasTrainer:
    """Trains the job's stages one after the other, from the public initial weights.

    Each stage starts with a fresh optimiser state, so that the weights at a block are all that the next stage depends
    on. Losses are the graph's own per-step means, never a Keras metric, whose meaning has changed between releases.
    """

    def __init__(self, job: TrainingJob, samples: TrainingSet, *, xla: bool = False, steps: int | None = None) -> None:
        """Build the model and trace the stage function; nothing is trained yet.

        Args:
            job: What is trained.
            samples: On what.
            xla: Whether TensorFlow's compiler is used.
            steps: Steps of each stage that are really taken; the last loss stands for the others. None for all.
        """
        self._steps = job.steps_per_stage if steps is None else steps
        self._job = job
        self._samples = samples
        self._model = build_model(job)
        self._variables = self._model.trainable_variables
        self._optimizer = FusedOptimizer(open_optimizer(job) or build_optimizer(job), self._variables)
        self._weights_after: dict[int, Weights] = {-1: compute_initial_weights(job)}
        shape = (job.steps_per_stage, job.batch_size)
        self._stage = tf.function(self._run_stage, autograph=False, jit_compile=xla).get_concrete_function(
            tf.TensorSpec((*shape, samples.images.shape[1]), tf.as_dtype(samples.images.dtype)),
            tf.TensorSpec(shape, tf.int32),
        )

    def train(self, stage: int, base: Weights | None = None) -> StageOutcome:
        """Return the outcome of a stage.

        Args:
            stage: Number of the stage.
            base: Weights to start from; None for its own after the stage before.

        Raises:
            KeyError: There is no base, and the stage before has not been trained here.
        """
        start = self._weights_after[stage - 1] if base is None else base
        self._reset(start)
        images, labels = self._samples.gather(compute_stage_positions(self._job, stage, len(self._samples)))
        losses = self._stage(tf.constant(images), tf.constant(labels)).numpy()
        left_out = self._job.steps_per_stage - len(losses)
        losses = np.pad(losses, (0, left_out), "edge" if len(losses) else "constant")
        weights: Weights = [variable.numpy() for variable in self._variables]
        if base is None:
            self._weights_after = {stage - 1: start, stage: weights}
        result = TrainingResult(
            stage=stage, weights_digest=compute_weights_digest(weights), losses=losses.astype(">f4").tobytes()
        )
        return StageOutcome(result, weights, losses.tolist())

    def get_graph(self) -> Any:  # noqa: ANN401 - what TensorFlow calls a GraphDef
        """Return the graph of a stage."""
        return self._stage.graph.as_graph_def()

    def _reset(self, weights: Weights) -> None:
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)
        self._optimizer.reset()

    def _run_stage(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        steps = self._steps
        trace = tf.TensorArray(tf.float32, size=steps)
        variables = [variable.value for variable in self._variables]
        inputs = self._model.input_shape[1:]

        def step(index: tf.Tensor, trace: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            batch = images[index]
            if batch.dtype == tf.uint8:
                batch = tf.cast(batch, tf.float32) / 255.0
            if inputs != batch.shape[1:]:
                batch = tf.reshape(batch, (-1, *inputs))
            with tf.GradientTape() as tape:
                logits = self._model(batch, training=True)
                loss = tf.reduce_mean(
                    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels[index], logits=logits)
                )
            with tf.control_dependencies(self._optimizer.apply(tape.gradient(loss, variables), index)):
                return index + 1, trace.write(index, loss)

        _, trace = tf.while_loop(lambda index, _: index < steps, step, (0, trace), parallel_iterations=1)
        return trace.stack()
