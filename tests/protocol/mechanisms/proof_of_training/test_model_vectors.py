"""Frozen bytes of jobs that name their model, and of the one job that need not."""

from typing import Any

import msgspec
import pytest

from protocol.codec import encode
from protocol.mechanisms.proof_of_training.job import AgreedModel, compute_chain_id, encode_genesis, pack_job
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from tests.support.core import genesis

MODELS = {
    "dense": AgreedModel(name="dense", settings=(), shape=(32, 32, 3), classes=10),
    "convolutions": AgreedModel(
        name="cnn", settings=(("activation", "relu"), ("filters", (8, 16)), ("kernel", 3)), shape=(28, 28), classes=26
    ),
    "every kind of setting": AgreedModel(
        name="own",
        settings=(("deep", True), ("names", ("a", "b")), ("rate", 0.5), ("units", 7), ("wide", "yes")),
        shape=(30,),
        classes=2,
    ),
}


def build_model_vectors() -> dict[str, object]:
    """Return all that is frozen."""
    agreed = {name: genesis(model=model) for name, model in MODELS.items()}
    return {
        name: {"job": encode(pack_job(start.job)).hex(), "chain_id": compute_chain_id(start).hex()}
        for name, start in agreed.items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_a_genesis_with_a_model_is_read_as_it_was_written(name: str) -> None:
    start = genesis(model=MODELS[name])
    packed = encode_genesis(start)
    read = ProofOfTraining.decode_genesis(packed)
    assert read.genesis == start
    assert read.encode_genesis() == packed
    assert len({compute_chain_id(genesis(model=model)) for model in (None, *MODELS.values())}) == len(MODELS) + 1


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "own": {"optimizer": "heavy_ball", "optimizer_settings": (("friction", 0.5), ("windows", (3, 4)))},
    "own with a model": {
        "optimizer": "heavy_ball",
        "optimizer_settings": (("friction", 0.25),),
        "model": MODELS["convolutions"],
    },
}


def build_optimizer_vectors() -> dict[str, object]:
    """Return all that is frozen of jobs whose optimiser has settings."""
    agreed = {name: genesis(**changes) for name, changes in OPTIMIZERS.items()}
    return {
        name: {"job": encode(pack_job(start.job)).hex(), "chain_id": compute_chain_id(start).hex()}
        for name, start in agreed.items()
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_genesis_with_settings_of_an_optimiser_is_read_as_it_was_written(name: str) -> None:
    start = genesis(**OPTIMIZERS[name])
    read = ProofOfTraining.decode_genesis(encode_genesis(start))
    assert read.genesis == start
    bare = genesis(**{**OPTIMIZERS[name], "optimizer_settings": ()})
    assert len({compute_chain_id(one) for one in (start, bare, genesis())}) == 3


def test_a_job_that_says_nothing_of_its_model_and_optimiser_has_no_place_for_it() -> None:
    start = genesis()
    spelt = encode((start.parameters, start.job, start.accounts, start.seed))  # with nothing in their places
    read = ProofOfTraining.decode_genesis(spelt)
    assert read.genesis == start
    assert len(read.encode_genesis()) == len(spelt) - 2


@pytest.mark.parametrize("changes", [{"shape": ()}, {"shape": (0,)}, {"shape": (1, 2, 3, 4)}, {"classes": 1}], ids=str)
def test_a_form_that_no_samples_have_is_not_read(changes: dict[str, Any]) -> None:
    strange = encode_genesis(genesis(model=msgspec.structs.replace(MODELS["dense"], **changes)))
    with pytest.raises(msgspec.ValidationError):
        ProofOfTraining.decode_genesis(strange)
