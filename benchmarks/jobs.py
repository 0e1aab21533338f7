"""The job that stages are measured on."""

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.training import DenseKeys, ImageSet, ModelKeys, agree_on_model


def make_job(keys: ModelKeys, images: ImageSet, *, batch: int, steps: int) -> TrainingJob:
    """Return a job of one stage, trained with Adam.

    Args:
        keys: The model.
        images: What it is trained on.
        batch: Samples of a step.
        steps: Steps of the stage.
    """
    return TrainingJob(
        layers=tuple(keys.layers) if isinstance(keys, DenseKeys) else (),
        activation=keys.activation if isinstance(keys, DenseKeys) else "",
        optimizer="adam",
        learning_rate=0.001,
        loss="sparse_categorical_crossentropy",
        dataset=images.name,
        dataset_digest=images.compute_digest(),
        weights_seed=1,
        order_seed=2,
        batch_size=batch,
        steps_per_stage=steps,
        stages=1,
        profile="benchmark",
        model=agree_on_model(keys, images.form),
    )
