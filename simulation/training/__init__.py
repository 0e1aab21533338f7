"""The work of training: images, samples, poisons, trainers, weights."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.training.canonical_trainer import CanonicalTrainer
    from simulation.training.datasets import (
        DIGITS,
        MADE_UP_DATA,
        NO_DATA,
        DatasetError,
        ImageSet,
        load_images,
        open_shared,
    )
    from simulation.training.distances import (
        compare_stored,
        compute_distance,
        compute_rates,
        count_billionths,
        describe_comparison,
    )
    from simulation.training.evaluation import Evaluation, Evaluator, load_model_weights
    from simulation.training.fake_trainer import FakeTrainer
    from simulation.training.image_format import CLASSES, PIXELS
    from simulation.training.keras_trainer import (
        KerasTrainer,
        build_model,
        build_optimizer,
        can_use_one_thread,
        seed_keras,
        use_one_thread,
    )
    from simulation.training.poisons import POISONS
    from simulation.training.profiles import CANONICAL, CANONICAL_PROFILE, NATIVE, compute_profile, prepare_environment
    from simulation.training.remote_trainer import RemoteTrainer
    from simulation.training.samples import (
        TrainingSet,
        Weights,
        compute_coverage,
        compute_initial_weights,
        compute_stage_positions,
        compute_weights_digest,
    )
    from simulation.training.trainer import (
        StageOutcome,
        Trainer,
        build_training_set,
        count_trained_steps,
        describe_training,
    )
    from simulation.training.weight_store import WeightsError, WeightStore
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "canonical_trainer": "CanonicalTrainer",
            "datasets": "DIGITS DatasetError ImageSet MADE_UP_DATA NO_DATA load_images open_shared",
            "distances": "compare_stored compute_distance compute_rates count_billionths describe_comparison",
            "evaluation": "Evaluation Evaluator load_model_weights",
            "fake_trainer": "FakeTrainer",
            "image_format": "CLASSES PIXELS",
            "keras_trainer": "KerasTrainer build_model build_optimizer can_use_one_thread seed_keras use_one_thread",
            "poisons": "POISONS",
            "profiles": "CANONICAL CANONICAL_PROFILE NATIVE compute_profile prepare_environment",
            "remote_trainer": "RemoteTrainer",
            "samples": (
                "TrainingSet Weights compute_coverage compute_initial_weights compute_stage_positions "
                "compute_weights_digest"
            ),
            "trainer": "StageOutcome Trainer build_training_set count_trained_steps describe_training",
            "weight_store": "WeightStore WeightsError",
        },
    )

__all__ = [
    "CANONICAL",
    "CANONICAL_PROFILE",
    "CLASSES",
    "DIGITS",
    "MADE_UP_DATA",
    "NATIVE",
    "NO_DATA",
    "PIXELS",
    "POISONS",
    "CanonicalTrainer",
    "DatasetError",
    "Evaluation",
    "Evaluator",
    "FakeTrainer",
    "ImageSet",
    "KerasTrainer",
    "RemoteTrainer",
    "StageOutcome",
    "Trainer",
    "TrainingSet",
    "WeightStore",
    "Weights",
    "WeightsError",
    "build_model",
    "build_optimizer",
    "build_training_set",
    "can_use_one_thread",
    "compare_stored",
    "compute_coverage",
    "compute_distance",
    "compute_initial_weights",
    "compute_profile",
    "compute_rates",
    "compute_stage_positions",
    "compute_weights_digest",
    "count_billionths",
    "count_trained_steps",
    "describe_comparison",
    "describe_training",
    "load_images",
    "load_model_weights",
    "open_shared",
    "prepare_environment",
    "seed_keras",
    "use_one_thread",
]
