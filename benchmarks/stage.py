"""The compiled training stage against Keras' `train_on_batch`, in one process, on one thread."""

import time
from statistics import median

import keras
import numpy as np
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
    load_images,
    use_one_thread,
)

GOALS = {1: 8.0, 32: 4.0}
"""Least ratio to reach at a batch size, without XLA."""

STEPS = 300
ROUNDS = 5


def print_stage_figures() -> None:
    """Print microseconds a step and the ratio, for each batch size, with and without XLA."""
    use_one_thread()
    images = load_images("mnist", None, is_required=False)
    samples = TrainingSet(images.x_train, np.asarray(images.y_train))
    table = Table(
        title=f"training step, {images.name}, 784-128-10, Adam, one thread; median of {ROUNDS} rounds in turn"
    )
    for column in ("batch", "train_on_batch", "one graph call", "ratio", "with XLA", "ratio", "goal"):
        table.add_column(column, justify="right")
    for batch, goal in GOALS.items():
        job = make_job(DenseKeys(layers=[128], activation="relu"), images, batch=batch, steps=STEPS)
        keras_us, graph_us, xla_us = _measure(job, samples)
        table.add_row(
            str(batch),
            f"{keras_us:,.0f} us",
            f"{graph_us:,.0f} us",
            f"{keras_us / graph_us:.1f}x",
            f"{xla_us:,.0f} us",
            f"{keras_us / xla_us:.1f}x",
            f"{goal:.0f}x",
        )
    Console(width=120).print(table)


def _measure(job: TrainingJob, samples: TrainingSet) -> tuple[float, float, float]:
    """Return the median microseconds a step of the three ways, each round measuring all of them."""
    model = build_model(job)
    model.compile(build_optimizer(job), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images, labels = samples.gather(compute_stage_positions(job, 0, len(samples)))
    batches = images.astype(np.float32) / 255
    plain, compiled = KerasTrainer(job, samples), KerasTrainer(job, samples, xla=True)
    times: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for batch, batch_labels in zip(batches, labels, strict=True):
            model.train_on_batch(batch, batch_labels)
        middle = time.perf_counter()
        plain.train(0)
        late = time.perf_counter()
        compiled.train(0)
        times.append((middle - start, late - middle, time.perf_counter() - late))
    first, second, third = (median(column) / job.steps_per_stage * 1e6 for column in zip(*times[1:], strict=True))
    return first, second, third
