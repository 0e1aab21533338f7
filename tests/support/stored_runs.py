"""Folders of finished runs with made-up training, and edits of them as a forger would make."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from simulation.foundation.interruption import Interruption
from simulation.runs.run import run_scenario
from simulation.scenario.scenario import Scenario, fingerprint_keys
from simulation.scenario.world.building import build_world
from simulation.scenario.world.world import World
from tests.support.memory_runs import make_raw, population
from tests.support.scenarios import make_images

Place = tuple[str | int, ...]


def make_small(**sections: Any) -> dict[str, Any]:
    """Return a raw scenario of three honest nodes and a poisoner, whose run takes a moment."""
    poison = {"kind": "targeted_flip", "share": 0.5, "source": 3, "target": 8}
    populations = (population("honest", 3), population("bad", 1, "data_injection", poison=poison))
    users = {"count": 2, "transactions": 3}
    return make_raw(*populations, **{"users": users, "job": {"stages": 2}, "output": {"pictures": True}, **sections})


def run_made_up(out: Path, raw: dict[str, Any], draw: Callable[[Path], object] | None = None) -> Path:
    """Run a raw scenario on made-up images; return its folder."""
    outcome = run_scenario(
        Scenario.model_validate(raw),
        out,
        console=Console(file=io.StringIO()),
        log_beside=None,
        interruption=Interruption(),
        images=make_images(),
        draw=draw,
    )
    return outcome.folder


def draw_something(folder: Path) -> None:
    for name in ("chain.png", "training.png"):
        (folder / name).write_bytes(b"a picture")


def rebuild_world(folder: Path) -> World:
    """Return who took part in a stored run."""
    told = read_summary(folder)["dataset"]
    scenario = Scenario.model_validate(yaml.safe_load((folder / "scenario.yaml").read_text("utf-8")))
    return build_world(scenario, told["name"], bytes.fromhex(told["digest"]))


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")


def renew_digests(folder: Path) -> None:
    """Let the summary vouch for the files as they are now."""
    summary = read_summary(folder)
    summary["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in summary["files"]}
    write_summary(folder, summary)


def edit_text(folder: Path, name: str, edit: Callable[[str], str]) -> None:
    """Change a file and let the summary vouch for it."""
    path = folder / name
    before = path.read_text("utf-8")
    after = edit(before)
    assert after != before, f"nothing to edit in {name}"
    path.write_text(after, "utf-8")
    renew_digests(folder)


def edit_scenario(folder: Path, place: Place, value: object, *, is_fingerprint_renewed: bool) -> None:
    """Change a key of the scenario, and perhaps the fingerprint wherever it stands."""
    path = folder / "scenario.yaml"
    raw = yaml.safe_load(path.read_text("utf-8"))
    put(raw, place, value)
    path.write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    if is_fingerprint_renewed:
        summary = read_summary(folder)
        fingerprint = fingerprint_keys(raw, summary["code_version"])
        for name in ("pot_sim.log", "events.jsonl", "summary.json"):
            file = folder / name
            text = file.read_text("utf-8")
            file.write_text(
                text.replace(f"={summary['fingerprint']} ", f'="{fingerprint}" ').replace(
                    summary["fingerprint"], fingerprint
                ),
                "utf-8",
            )
    renew_digests(folder)


def put(tree: Any, place: Place, value: object) -> None:
    for part in place[:-1]:
        tree = tree[part]
    tree[place[-1]] = value


def take_out(tree: Any, place: Place) -> None:
    for part in place[:-1]:
        tree = tree[part]
    del tree[place[-1]]


def list_leaves(tree: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield place and value of all that holds nothing else, empty lists and mappings too."""
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    if not items:
        yield place, tree
    for key, value in items:
        yield from list_leaves(value, (*place, key))


def change(value: object) -> object:
    """Return another value of the same kind, or of another where there is none."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case None:
            return 0.5
    return {"forged": 1} if isinstance(value, dict) else ["forged"]
