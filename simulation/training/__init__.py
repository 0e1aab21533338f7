"""The work of training: images, samples, poisons, trainers, weights."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.training.canonical_trainer import CanonicalTrainer
    from simulation.training.data_sets import (
        CLASSES,
        DIGITS,
        MADE_UP_DATA,
        MAX_CLASSES,
        MNIST_FORM,
        NO_DATA,
        PIXELS,
        PLUGIN_DATA_SETS,
        DataForm,
        DataKind,
        DatasetError,
        ImageSet,
        build_any,
        count_samples,
        find_data_set,
        list_data_sets,
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
    from simulation.training.keras_trainer import (
        KerasTrainer,
        build_model,
        build_optimizer,
        can_use_one_thread,
        seed_keras,
        use_one_thread,
    )
    from simulation.training.model_checks import find_model_fault, find_optimizer_fault
    from simulation.training.models import (
        DENSE_NAME,
        PLUGIN_MODELS,
        DenseKeys,
        Model,
        ModelKeys,
        ModelKind,
        agree_on_model,
        find_form,
        find_model,
        is_shipped,
        list_models,
        open_model,
    )
    from simulation.training.optimizers import (
        MAX_SLOTS,
        PLUGIN_OPTIMIZERS,
        OptimizerKeys,
        OptimizerKind,
        agree_on_optimizer,
        list_optimizers,
        read_optimizer_keys,
    )
    from simulation.training.poison_checks import is_idle
    from simulation.training.poisons import PLUGIN_POISONS, POISONS, PoisonKind, find_poison
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
            "data_sets": (
                "CLASSES DIGITS MADE_UP_DATA MAX_CLASSES MNIST_FORM NO_DATA PIXELS PLUGIN_DATA_SETS DataForm DataKind "
                "DatasetError ImageSet build_any count_samples find_data_set list_data_sets "
                "load_images open_shared"
            ),
            "distances": "compare_stored compute_distance compute_rates count_billionths describe_comparison",
            "evaluation": "Evaluation Evaluator load_model_weights",
            "fake_trainer": "FakeTrainer",
            "keras_trainer": ("KerasTrainer build_model build_optimizer can_use_one_thread seed_keras use_one_thread"),
            "model_checks": "find_model_fault find_optimizer_fault",
            "models": (
                "DENSE_NAME PLUGIN_MODELS DenseKeys Model ModelKeys ModelKind agree_on_model find_form find_model "
                "is_shipped list_models open_model"
            ),
            "optimizers": (
                "MAX_SLOTS PLUGIN_OPTIMIZERS OptimizerKeys OptimizerKind agree_on_optimizer list_optimizers "
                "read_optimizer_keys"
            ),
            "poison_checks": "is_idle",
            "poisons": "PLUGIN_POISONS POISONS PoisonKind find_poison",
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
    "DENSE_NAME",
    "DIGITS",
    "MADE_UP_DATA",
    "MAX_CLASSES",
    "MAX_SLOTS",
    "MNIST_FORM",
    "NATIVE",
    "NO_DATA",
    "PIXELS",
    "PLUGIN_DATA_SETS",
    "PLUGIN_MODELS",
    "PLUGIN_OPTIMIZERS",
    "PLUGIN_POISONS",
    "POISONS",
    "CanonicalTrainer",
    "DataForm",
    "DataKind",
    "DatasetError",
    "DenseKeys",
    "Evaluation",
    "Evaluator",
    "FakeTrainer",
    "ImageSet",
    "KerasTrainer",
    "Model",
    "ModelKeys",
    "ModelKind",
    "OptimizerKeys",
    "OptimizerKind",
    "PoisonKind",
    "RemoteTrainer",
    "StageOutcome",
    "Trainer",
    "TrainingSet",
    "WeightStore",
    "Weights",
    "WeightsError",
    "agree_on_model",
    "agree_on_optimizer",
    "build_any",
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
    "count_samples",
    "count_trained_steps",
    "describe_comparison",
    "describe_training",
    "find_data_set",
    "find_form",
    "find_model",
    "find_model_fault",
    "find_optimizer_fault",
    "find_poison",
    "is_idle",
    "is_shipped",
    "list_data_sets",
    "list_models",
    "list_optimizers",
    "load_images",
    "load_model_weights",
    "open_model",
    "open_shared",
    "prepare_environment",
    "read_optimizer_keys",
    "seed_keras",
    "use_one_thread",
]
