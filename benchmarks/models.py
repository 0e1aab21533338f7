"""The stage of each kind of model against a plain loop around a compiled step of the same network, in one process."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.jobs import make_job
from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.training import (
    DenseKeys,
    KerasTrainer,
    TrainingSet,
    build_model,
    build_optimizer,
    compute_stage_positions,
    find_model,
    load_images,
    use_one_thread,
)

GOAL: Final = 0.8
"""Least share of the loop's steps a second."""

STEPS: Final = 100
ROUNDS: Final = 5
BATCH: Final = 32


def print_model_figures() -> None:
    """Print steps a second of both ways, and the ratio, for each kind of model."""
    use_one_thread()
    images = load_images("mnist", None, is_required=False)
    samples = TrainingSet(images.x_train, np.asarray(images.y_train))
    table = Table(
        title=f"stage of each model, {images.name}, batch {BATCH}, Adam, one thread; median of {ROUNDS} rounds"
    )
    for column in ("model", "tf.function loop", "one graph call", "ratio", "goal"):
        table.add_column(column, justify="right")
    dense = DenseKeys(layers=[128], activation="relu")
    for keys in (dense, find_model("logistic").keys(name="logistic"), find_model("cnn").keys(name="cnn")):
        loop, stage = _measure(make_job(keys, images, batch=BATCH, steps=STEPS), samples)
        table.add_row(keys.name, f"{loop:,.0f} steps/s", f"{stage:,.0f} steps/s", f"{stage / loop:.2f}x", f"{GOAL}x")
    Console(width=120).print(table)


def _measure(job: TrainingJob, samples: TrainingSet) -> tuple[float, float]:
    """Return the median steps a second of the loop and of the stage, each round measuring both in turn."""
    images, labels = samples.gather(compute_stage_positions(job, 0, len(samples)))
    step, model = _make_step(job)
    batches = (images.astype(np.float32) / 255).reshape(STEPS, BATCH, *model.input_shape[1:])
    given = [(tf.constant(batch), tf.constant(found)) for batch, found in zip(batches, labels, strict=True)]
    trainer = KerasTrainer(job, samples)
    times: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):  # the first one traces
        start = time.perf_counter()
        for batch, found in given:
            loss = step(batch, found)
        float(loss)
        middle = time.perf_counter()
        trainer.train(0)
        times.append((middle - start, time.perf_counter() - middle))
    loop, stage = (STEPS / median(column) for column in zip(*times[1:], strict=True))
    return loop, stage


def _make_step(job: TrainingJob) -> tuple[Callable[[Any, Any], Any], Any]:
    """Return a compiled step as TensorFlow's guide writes it, with Keras' own optimiser, and its model."""
    model, optimizer = build_model(job), build_optimizer(job)
    measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(model.trainable_variables)

    def step(images: Any, labels: Any) -> Any:  # noqa: ANN401 - tensors
        with tf.GradientTape() as tape:
            loss = measure(labels, model(images, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    compiled: Callable[[Any, Any], Any] = tf.function(step)
    return compiled, model
