"""Distances between trainings of one stage: other arithmetics, and work that is not quite the agreed one."""

from rich.console import Console
from rich.table import Table

from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.scenario import CONFIGS, Poison, load_scenario
from simulation.scenario.world import build_world
from simulation.training import (
    CanonicalTrainer,
    RemoteTrainer,
    Weights,
    build_training_set,
    compute_distance,
    compute_rates,
    count_trained_steps,
    load_images,
)

SEEDS = (1, 2, 3, 4, 5)
STEPS = 375
BOUNDS = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
HONEST = ("native", "avx2", "sse4", "no_onednn", "canonical")
DISHONEST = {
    "backdoor, 0.01 % of samples": {"kind": "backdoor", "share": 0.0001, "target": 0},
    "backdoor, 0.1 %": {"kind": "backdoor", "share": 0.001, "target": 0},
    "backdoor, 1 %": {"kind": "backdoor", "share": 0.01, "target": 0},
    "label noise, 1 %": {"kind": "label_noise", "share": 0.01},
    "label noise, 30 %": {"kind": "label_noise", "share": 0.3},
    "last of 375 steps left out": {"kind": "truncated", "share": 1 / STEPS},
    "a tenth of the steps left out": {"kind": "truncated", "share": 0.1},
}


def print_tolerance_figures() -> None:
    """Print the distance of each kind of training from the agreed one, and what bounds on it would do."""
    distances: dict[str, list[float]] = {name: [] for name in (*HONEST, *DISHONEST)}
    for seed in SEEDS:
        for name, distance in _measure(seed).items():
            distances[name].append(distance)
    table = Table(title=f"largest difference of a weight after one stage of {STEPS} steps, seeds {SEEDS}")
    for column in ("training", "least", "most"):
        table.add_column(column, justify="left" if column == "training" else "right")
    for name, found in distances.items():
        table.add_row(name, f"{min(found):.2e}", f"{max(found):.2e}")
    Console(width=110).print(table)
    honest = [distance for name in HONEST for distance in distances[name]]
    dishonest = [distance for name in DISHONEST for distance in distances[name]]
    rates = Table(title="what a bound on that difference would do")
    for column in ("bound", "honest trainings refused", "dishonest trainings accepted"):
        rates.add_column(column, justify="right")
    for bound in BOUNDS:
        found_rates = compute_rates(bound, honest, dishonest)
        rates.add_row(f"{bound:.0e}", f"{found_rates.false_reject:.0%}", f"{found_rates.false_accept:.0%}")
    Console(width=110).print(rates)


def _measure(seed: int) -> dict[str, float]:
    """Return the distance of each kind of training from the agreed one, for the job of a seed."""
    settings = [f"job.steps_per_stage={STEPS}", "job.stages=1"]
    scenario = load_scenario(CONFIGS / "honest.yaml", settings, seed=seed)
    images = load_images("mnist", None, is_required=True)
    world = build_world(scenario, images.name, images.compute_digest())
    job, spec = as_training(world.mechanism).genesis.job, world.nodes[0]

    def train(arithmetic: str, poison: Poison | None = None) -> Weights:
        samples, steps = build_training_set(images, poison, spec.poison_seed), count_trained_steps(job, poison)
        if arithmetic == "canonical":
            return CanonicalTrainer(job, samples, steps=steps).train(0).weights
        trainer = RemoteTrainer(job, samples, arithmetic, xla=False, steps=steps)
        try:
            return trainer.train(0).weights
        finally:
            trainer.close()

    agreed = train("native")
    found = {name: compute_distance(agreed, train(name)) for name in HONEST}
    for name, raw in DISHONEST.items():
        found[name] = compute_distance(agreed, train("native", Poison.model_validate(raw)))
    return found
