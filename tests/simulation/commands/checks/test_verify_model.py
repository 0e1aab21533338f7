"""`verify` on a small run that has really trained, and on models, figures and data that are not its own."""

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.foundation.interruption import Interruption
from simulation.mechanisms.proof_of_training import verification
from simulation.runs.chain_file import read_chain
from simulation.runs.run import run_scenario
from simulation.scenario.scenario import Scenario
from simulation.training.data_sets.table import load_images
from tests.support.processes import Verify
from tests.support.scenarios import make_images
from tests.support.stored_runs import edit_text, make_small, read_summary, renew_digests, write_summary

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.keras,
    pytest.mark.filterwarnings("default::DeprecationWarning"),  # Keras and NumPy 2 have yet to agree on __array__
]

Edit = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data file, which the run's scenario names by a place where it no longer is."""
    images = make_images()
    path = tmp_path_factory.mktemp("data") / "moved.npz"
    shape = (-1, 28, 28)
    np.savez(
        path,
        x_train=images.x_train.reshape(shape),
        y_train=images.y_train,
        x_test=images.x_test.reshape(shape),
        y_test=images.y_test,
    )
    return path


@pytest.fixture(scope="module")
def sound(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = make_small(
        job={"stages": 2, "steps_per_stage": 5, "layers": [8]},
        virtual={"trainer": "keras"},
        output={"pictures": False},
    )
    raw["dataset"] = {"name": "mnist", "path": "gone/mnist.npz"}
    outcome = run_scenario(
        Scenario.model_validate(raw),
        tmp_path_factory.mktemp("sound"),
        console=Console(file=io.StringIO()),
        log_beside=None,
        interruption=Interruption(),
        images=load_images("mnist", str(data), is_required=True),
    )
    assert read_summary(outcome.folder)["employer"]["outcome"] == "delivered"
    return outcome.folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "run"))


def edit_model(folder: Path, edits: dict[str, Edit | None], *, added: str | None = None) -> None:
    """Write the model anew with members changed, left out (None) or added; the summary vouches for it."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            edit = edits.get(name, bytes)
            if edit is not None:
                archive.writestr(name, edit(content))
        if added is not None:
            archive.writestr(added, b"x")
    renew_digests(folder)


def replace(old: bytes, new: bytes) -> Edit:
    def edit(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new)

    return edit


def test_the_run_is_verified_and_so_is_a_model_that_was_packed_again(folder: Path, verify: Verify) -> None:
    told = verify(folder)
    assert told.code == 0, told.told
    assert "model: model.keras is the job's, with the weights the last block attests" in told.out
    edit_model(folder, {"metadata.json": lambda content: re.sub(rb"20\d\d-", b"1999-", content)})
    assert verify(folder).code == 0


@pytest.mark.parametrize(
    ("name", "edit", "told"),
    [
        (
            "config.json",
            replace(b'"relu"', b'"sigmoid"'),
            'config.layers.1.config.activation is "sigmoid", the job gives "relu"',
        ),
        ("config.json", replace(b'"units": 8', b'"units": 9'), "config.layers.1.config.units is 9, the job gives 8"),
        ("config.json", replace(b'"use_bias": true', b'"use_bias": false'), "config.layers.1.config.use_bias is false"),
        ("config.json", replace(b'"GlorotUniform"', b'"Custom"'), "kernel_initializer.class_name is "),
        ("config.json", replace(b'"keras.layers"', b'"builtins"'), 'config.layers.0.module is "builtins"'),
        ("config.json", replace(b'{"module"', b'{"x": 1, "module"'), "x: nothing of that name belongs here"),
        ("config.json", lambda content: b"[" * 10**6, "not a readable Keras model"),
        ("config.json", None, "not a readable Keras model"),
        (
            "metadata.json",
            replace(b'"keras_version"', b'"x": 1, "keras_version"'),
            "metadata.json is not what Keras writes",
        ),
        ("model.weights.h5", lambda content: content[:-100], "not a readable Keras model"),
        ("model.weights.h5", None, "a model has only"),
    ],
    ids=["activation", "units", "bias", "initializer", "module", "key", "deep", "none", "metadata", "cut", "empty"],
)
def test_a_model_of_another_function_is_found(
    name: str, edit: Edit | None, told: str, folder: Path, verify: Verify
) -> None:
    edit_model(folder, {name: edit})
    found = verify(folder)
    assert found.code == 1
    assert found.err.startswith("FAILED: model.keras: ")
    assert told in found.err
    assert found.err.count("\n") == 1


def test_a_member_that_no_model_has_is_found(folder: Path, verify: Verify) -> None:
    edit_model(folder, {}, added="assets/x")
    assert "FAILED: model.keras: holds assets/x" in verify(folder).err


def test_a_model_with_another_weight_is_found(folder: Path, verify: Verify) -> None:
    from simulation.training.keras_trainer import build_model, load_weights  # noqa: PLC0415 - loads TensorFlow

    path = folder / "model.keras"
    mechanism, _ = read_chain(folder / "chain.jsonl")
    model = build_model(as_training(mechanism).genesis.job)
    load_weights(model, path)
    weights = model.get_weights()
    weights[0][0, 0] = np.nextafter(weights[0][0, 0], np.float32(9))
    model.set_weights(weights)
    model.save(path)
    renew_digests(folder)
    assert "FAILED: model.keras: holds weights " in verify(folder).err


def test_a_model_whose_digest_is_wrong_is_not_opened(
    folder: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_it(*arguments: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(verification, "load_model_weights", open_it)
    path = folder / "model.keras"
    path.write_bytes(path.read_bytes() + b"x")
    assert verify(folder).err.startswith("FAILED: model.keras: changed since the run")
    summary = read_summary(folder)
    del summary["files"]["model.keras"]
    write_summary(folder, summary)
    assert verify(folder).err == "FAILED: model.keras: summary.json does not list it among the files\n"


def test_a_model_that_is_gone_with_its_entry_is_missed(folder: Path, verify: Verify) -> None:
    (folder / "model.keras").unlink()
    summary = read_summary(folder)
    del summary["files"]["model.keras"]
    write_summary(folder, summary)
    assert verify(folder).err == "FAILED: model.keras: missing\n"


# ---- training again ----


def test_data_that_was_moved_is_found_where_the_user_says(folder: Path, data: Path, verify: Verify) -> None:
    lost = verify(folder, "--retrain")
    assert (lost.code, "gone/mnist.npz" in lost.err) == (3, True)
    found = verify(folder, "--retrain", "--dataset", str(data))
    assert found.code == 0, found.told
    assert "2 blocks re-checked from the genesis, with training" in found.out


def test_measurements_and_losses_are_made_again(folder: Path, data: Path, verify: Verify) -> None:
    for name, values in (("pot_sim.log", r"( accuracy=)[\d.]+"), ("events.jsonl", r'("accuracy": )[\d.]+')):
        edit_text(folder, name, lambda text, pattern=values: re.sub(pattern, r"\g<1>0.999", text))  # type: ignore[misc]
    edit_text(folder, "summary.json", lambda text: re.sub(r'("(?:test_)?accuracy": )[\d.]+', r"\g<1>0.999", text))
    assert verify(folder).code == 0
    told = verify(folder, "--retrain", "--dataset", str(data))
    assert told.code == 1
    assert re.search(r"FAILED: pot_sim.log: line \d+: accuracy is 0.999, measuring again gives 0\.\d", told.err)


def test_training_again_on_another_profile_says_nothing_and_is_not_called_verified(
    folder: Path, data: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "find_profile", lambda job: "another machine's")
    assert verify(folder).code == 0
    told = verify(folder, "--retrain", "--dataset", str(data))
    assert told.code == 1
    assert "arithmetic profile" in told.err
    assert "not comparable" in told.err
