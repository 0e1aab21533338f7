"""Material that several tests share: complete scenarios, small image sets, jobs, and the records of a made-up run."""

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.records.lines import DEBUG, INFO, WARNING, Line, Value
from simulation.records.reading import read_record
from simulation.records.record import Record
from simulation.scenario.loading import CONFIGS, list_shipped, load_scenario
from simulation.scenario.scenario import Scenario
from simulation.training.data_sets.image_format import PIXELS
from simulation.training.data_sets.image_set import ImageSet

ROOT = Path(__file__).parents[2]


# ---- scenarios ----


def complete() -> dict[str, Any]:
    """Return a raw scenario in which every key there is stands, with a value of its own."""
    return copy.deepcopy(_make_complete())


@cache
def _make_complete() -> dict[str, Any]:
    raw: dict[str, Any] = load_scenario(CONFIGS / "default.yaml").model_dump(mode="json")
    raw["dataset"]["path"] = "mnist.npz"
    raw["populations"][1]["poison"] = {"kind": "targeted_flip", "share": 0.25, "source": 3, "target": 8}
    return raw


def save(folder: Path, raw: object, name: str = "scenario.yaml") -> Path:
    """Write a raw scenario to a file."""
    path = folder / name
    path.write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw, sort_keys=False), "utf-8")
    return path


def walk(raw: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Yield the path and value of everything in nested mappings and lists."""
    items: list[tuple[str | int, object]] = []
    if isinstance(raw, dict):
        items = list(raw.items())
    elif isinstance(raw, list):
        items = list(enumerate(raw))
    for key, value in items:
        yield (*path, key), value
        yield from walk(value, (*path, key))


def dig(raw: Any, path: tuple[str | int, ...]) -> Any:
    """Return what stands at a path."""
    for part in path:
        raw = raw[part]
    return raw


def dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)


def shipped(name: str, *settings: str) -> Scenario:
    return load_scenario(list_shipped()[name], settings)


# ---- images and jobs ----


def make_images(train: int = 60, test: int = 20, *, seed: int = 0) -> ImageSet:
    """Return random images, bright where their label says, so that a network can learn them."""
    rng = np.random.default_rng(seed)

    def draw(count: int) -> tuple[Any, Any]:
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = rng.integers(0, 60, (count, PIXELS)).astype(np.uint8)
        for row, label in enumerate(labels.tolist()):
            images[row, label * 70 : label * 70 + 70] = 230
        return images, labels

    return ImageSet("mnist", "made up", *draw(train), *draw(test))


def make_job(**changes: Any) -> TrainingJob:
    fields: dict[str, Any] = {
        "layers": (16,),
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "loss": "sparse_categorical_crossentropy",
        "dataset": "mnist",
        "dataset_digest": bytes(32),
        "weights_seed": 1,
        "order_seed": 2,
        "batch_size": 4,
        "steps_per_stage": 5,
        "stages": 3,
        "profile": "test",
    }
    return TrainingJob(**{**fields, **changes})


# ---- records ----


def line(who: str, event: str, *, level: str = INFO, time: float = 1.0, **fields: Value) -> Line:
    """Return a line of a log, which need not be one that a run writes."""
    return Line(time, level, who, event, fields)


def note(who: str, event: str, *, level: str = INFO, time: float = 1.0, **fields: Value) -> Record:
    """Return a record, from the fields that it has in a log."""
    return read_record(Line(time, level, who, event, fields))


def opening(**changes: Value) -> Record:
    fields: dict[str, Any] = {
        "scenario": "made-up",
        "seed": 7,
        "engine": "processes",
        "fingerprint": "0123456789ab",
        "code_version": "1.0.0+00000000",
        "dataset": "digits",
        "dataset_source": "bundled with scikit-learn",
        "dataset_digest": "00" * 32,
        "samples": 1500,
        "stages": 2,
        "samples_per_stage": 750,
    }
    return note("run", "run", time=0.0, **{**fields, **changes})


def trained(who: str, stage: int, weights: str, *, data: str = "clean", cpu_s: float = 0.5) -> Record:
    fields: dict[str, Any] = {"stage": stage, "weights": weights, "steps": 3, "loss": 0.5, "losses": "0.5 0.4 0.6"}
    return note(who, "trained", level=DEBUG, time=2.0, **fields, data=data, cpu_s=cpu_s)


def appended(who: str, height: int, block: str, parent: str, weights: str, **changes: Value) -> Record:
    fields: dict[str, Any] = {"height": height, "block": block, "parent": parent, "weights": weights}
    fields |= {"proposer": "good-0", "wrapper": "good-1", "declarations": 2, "transactions": 3, "head": True}
    return note(who, "appended", time=3.0, **{**fields, "reorg": 0, **changes})


def made_up_run() -> list[Record]:
    """Return a run of two honest nodes and a poisoner: the honest ones and the employer take two clean blocks."""
    records = [opening()]
    roles = {"good-0": "honest", "good-1": "honest", "bad-0": "data_injection"}
    for label, role in roles.items():
        records.append(note(label, "node", level=DEBUG, population=label.split("-")[0], role=role, stake=10))
    for pid, label in enumerate([*roles, "employer", "users"], start=100):
        records.append(note(label, "started", pid=pid))
    records += [note("good-0", "training", level=DEBUG, stage=0), trained("good-0", 0, "0xaa1", cpu_s=1.0)]
    records += [trained("good-1", 0, "0xaa1", cpu_s=2.0), trained("bad-0", 0, "0xbb1", data="poisoned", cpu_s=4.0)]
    records.append(note("user-0", "sent", kind="transaction", nonce=0, to="all", copies=3, bytes=600))
    records.append(note("good-0", "sent", kind="declaration", height=1, to="all", copies=3, bytes=900))
    records.append(note("good-1", "relayed", level=DEBUG, copies=2, bytes=100))
    records.append(note("good-1", "accepted", kind="declaration", height=1, author="good-0", peer="good-0"))
    records.append(note("employer", "accepted", kind="declaration", height=1, author="good-0", peer="good-0"))
    records.append(note("good-1", "accepted", kind="transaction", author="user-0", peer="users"))
    records.append(_refused("good-0", "different-weights", author="bad-0", peer="good-1"))
    records.append(_refused("good-1", "bad-signature", author="good-0", peer="bad-0"))
    records.append(_refused("good-1", "malformed", peer="bad-0"))
    records.append(_refused("bad-0", "different-weights", author="good-0", peer="good-0"))
    records.append(note("good-0", "ignored", level=DEBUG, kind="declaration", reason="stale", count=5))
    for who in ("good-0", "good-1", "employer"):
        records.append(appended(who, 1, "0xb1", "0x000", "0xaa1"))
    records += [trained("good-0", 1, "0xaa2", cpu_s=0.25), trained("good-1", 1, "0xaa2", cpu_s=0.25)]
    for who in ("good-0", "good-1", "employer"):
        records.append(appended(who, 2, "0xb2", "0xb1", "0xaa2", transactions=1))
    for block, accuracy in (("0xb1", 0.5), ("0xb2", 0.875)):
        recalls = " ".join(["0.5000"] * 10)
        measured: dict[str, Any] = {"accuracy": accuracy, "trigger_success": 0.125, "recalls": recalls}
        records.append(note("employer", "evaluated", height=1, block=block, **measured))
    records.append(note("bad-0", "crashed", level=WARNING, why="killed by SIGKILL"))
    for who, balance in (("good-0", 12.5), ("good-1", 7.0)):
        records.append(note(who, "final", outcome="finished", height=2, head="0xb2", reorg=0, balance=balance))
    records.append(note("employer", "final", outcome="delivered", height=2, head="0xb2", reorg=0, balance=0.0))
    records.append(note("run", "cost", wall_s=9.5, cpu_s=11.25, memory_pss_mb_max=512.0))
    records.append(note("run", "ended", reason="complete", time=9.5))
    return records


def _refused(who: str, reason: str, **fields: Any) -> Record:
    return note(who, "rejected", kind="declaration", **fields, reason=reason)


def to_log(records: Sequence[Record | Line]) -> str:
    """Return the text of a log; lines may stand among the records."""
    lines = (item.to_line() if isinstance(item, Record) else item for item in records)
    return "".join(f"{item.to_text()}\n" for item in lines)
