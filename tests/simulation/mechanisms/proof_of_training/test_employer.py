"""The employer's desk where the model cannot be kept."""

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from simulation.mechanisms.proof_of_training.employer import EmployerDesk
from simulation.records.fact import Fact
from simulation.records.training_facts import Unsaved
from simulation.training.evaluation import Evaluator
from tests.support.core import Cluster, genesis


def save_half(path: Path) -> None:
    path.write_bytes(b"half a mod")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_put_on_record_and_leaves_no_half_of_a_model(tmp_path: Path) -> None:
    cluster = Cluster(genesis(3))
    cluster.run(until_height=1)
    core = cluster.node(0)
    assert isinstance(core.tree.head.block, WrappedBlock)
    evaluator = object.__new__(Evaluator)  # its model alone is of account, and Keras need not be loaded for it
    evaluator._model = SimpleNamespace(set_weights=lambda weights: None, save=save_half)
    store: Any = SimpleNamespace(get=lambda digest: [np.zeros(1, np.float32)])
    facts: list[Fact] = []
    EmployerDesk(evaluator, store, facts.append).save_model(core, tmp_path / "model.keras")
    assert facts == [Unsaved("model.keras cannot be written: No space left on device")]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_fault_of_the_disk_is_raised(tmp_path: Path) -> None:
    cluster = Cluster(genesis(3))
    cluster.run(until_height=1)

    def fail(weights: object, path: Path) -> None:
        raise RuntimeError("ours")

    evaluator: Any = SimpleNamespace(save=fail)
    store: Any = SimpleNamespace(get=lambda digest: [])
    with pytest.raises(RuntimeError, match="ours"):
        EmployerDesk(evaluator, store, lambda fact: None).save_model(cluster.node(0), tmp_path / "model.keras")
