"""What a run says of itself before anything happens: the records that `verify` makes again."""

from collections.abc import Iterator

from simulation.foundation import PluginError, compute_code_version, guard_plugins
from simulation.records import NodeDescribed, Opening, Unpoisoned
from simulation.scenario import Scenario, ScenarioError
from simulation.scenario.world import World
from simulation.training import ImageSet, is_idle


def describe_opening(scenario: Scenario, images: ImageSet, digest: bytes) -> Opening:
    """Return the first record of a run.

    Args:
        scenario: What is run, completely resolved.
        images: What is trained on.
        digest: Digest of its training part.
    """
    version = compute_code_version()
    return Opening(
        scenario=scenario.name,
        seed=scenario.seed,
        engine=scenario.engine,
        fingerprint=scenario.compute_fingerprint(version),
        code_version=version,
        dataset=images.name,
        dataset_source=images.source,
        dataset_digest=digest.hex(),
        samples=len(images.y_train),
        stages=scenario.length,
        samples_per_stage=count_stage_samples(scenario),
        rules=describe_rules(scenario),
    )


def describe_rules(scenario: Scenario) -> str | None:
    """Return which rules are in force; None where the mechanism has no versions of them."""
    return scenario.protocol.describe_version() if scenario.is_training else None


def count_stage_samples(scenario: Scenario) -> int:
    """Return the samples that one stage trains on; 0 where nothing is trained."""
    return scenario.job.steps_per_stage * scenario.job.batch_size if scenario.is_training else 0


def describe_nodes(world: World) -> Iterator[tuple[str, NodeDescribed]]:
    """Yield label and description of each node."""
    for node in world.nodes:
        yield (
            node.label,
            NodeDescribed(
                population=node.population,
                role=node.role,
                stake=node.stake,
                poison=node.poison.kind if node.poison else None,
                share=node.poison.share if node.poison else None,
            ),
        )


def find_idle_poisons(world: World, images: ImageSet) -> list[tuple[str, Unpoisoned]]:
    """Return label of each node whose poison leaves its data as they are, and the fact that it does.

    Each poisoned set of data is made once; of each population's the first is made twice where a plug-in makes it.

    Raises:
        ScenarioError: The poison of a plug-in fails, or does not come to the same each time.
    """
    scenario = world.scenario
    if not scenario.is_training or scenario.is_training_made_up:
        return []
    judged: dict[str, dict[int, bool]] = {}
    found = []
    for node in world.nodes:
        if node.poison is None:
            continue
        known = judged.setdefault(node.population, {})
        try:
            with guard_plugins(scenario.run.time_limit_s, "run.time_limit_s"):
                if node.poison_seed not in known:
                    known[node.poison_seed] = is_idle(images, node.poison, node.poison_seed, is_repeated=not known)
        except PluginError as error:
            raise ScenarioError(f"population {node.population}: poison: {error}") from None
        if known[node.poison_seed]:
            found.append((node.label, Unpoisoned(node.poison.kind)))
    return found
