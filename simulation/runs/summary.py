"""``summary.json``: the figures of a run, and the digests of the files they stand for."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from protocol.bonding import RESERVED
from protocol.ledger import count_created
from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.rules import Rules
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis import compute_measures, describe_finality, find_last_state
from simulation.foundation import find_part
from simulation.records import SUMMARY_NAME, WEIGHTS_FOLDER, Tally, compute_file_digest, write_text_in_one_step
from simulation.scenario.world import World, make_keys

Summary = dict[str, Any]

Summarise = Callable[[World, Tally, Sequence[AnyBlock], int], dict[str, Any]]
"""Returns what a mechanism adds to the section `training`: its part `summary`.

It is given the world, the tally, the employer's chain and the number of samples.
"""


def build_summary(world: World, tally: Tally, blocks: Iterable[bytes], sample_count: int) -> Summary:
    """Return the figures of a run.

    Args:
        world: Who took part.
        tally: What was counted.
        blocks: Canonical bytes of the employer's chain, lowest first.
        sample_count: Training samples of the data set.
    """
    useful, discarded = tally.sum_training_cpu()
    opening, counted = tally.get_opening(), describe_tally(tally)
    cost = msgspec.structs.asdict(tally.cost) if tally.cost is not None else {}
    rules = Rules(world.mechanism)
    decoded = [rules.decode_block(block) for block in blocks]
    summarise: Summarise | None = find_part(world.mechanism.name, "summary")
    own = summarise(world, tally, decoded, sample_count) if summarise is not None else {}
    twice = describe_finality(tally, world.mechanism.final_depth)
    finality = {**msgspec.structs.asdict(twice), "blocks": twice.blocks.split()} if twice is not None else None
    return {
        "scenario": opening.scenario,
        "fingerprint": opening.fingerprint,
        "engine": opening.engine,
        "seed": opening.seed,
        "code_version": opening.code_version,
        "ended": counted["ended"],
        **({"obstacle": counted["obstacle"]} if "obstacle" in counted else {}),
        "dataset": {
            "name": opening.dataset,
            "source": opening.dataset_source,
            "digest": opening.dataset_digest,
        },
        "chain": {**counted["chain"], **({"final_twice": finality} if finality is not None else {})},
        "employer": counted["employer"],
        "training": {**counted["training"], **own},
        "attack": counted["attack"],
        "messages": counted["messages"],
        "measures": compute_measures(tally, world.mechanism.name),
        "ledger": {**compute_ledger(world.mechanism, decoded), **count_openings(world, decoded)},
        "cost": {**cost, "train_cpu_s_useful": round(useful, 3), "train_cpu_s_discarded": round(discarded, 3)},
        "nodes": [
            {
                "label": spec.label,
                "population": spec.population,
                "pid": node.pid,
                "height": node.height,
                "head": node.head,
                "balance": node.balance,
                "outcome": node.outcome,
            }
            for spec, node in ((spec, tally.nodes[spec.label]) for spec in world.nodes)
        ],
    }


def describe_tally(tally: Tally) -> Summary:
    """Return the sections of a summary that follow from the log alone."""
    agreement, best = tally.compute_agreement()
    poisoned_employer = tally.count_poisoned_employer()
    last = tally.training.evaluations.get(tally.employer.head)
    obstacle = tally.get_obstacle()
    return {
        "ended": tally.get_reason() or "unfinished",
        **({"obstacle": obstacle} if obstacle is not None else {}),
        "chain": {
            "height": best.height,
            "head": best.head,
            "honest_agreement": agreement,
            "forks": tally.count_forks(),
            "reorg_depth_max": tally.reorg_depth_max,
        },
        "employer": {"height": tally.employer.height, "head": tally.employer.head, "outcome": tally.employer.outcome},
        "training": {
            "test_accuracy": last.accuracy if last else None,
            "recalls": last.list_recalls() if last else None,
        },
        "attack": {
            "poisoned_stages_honest": tally.count_poisoned_honest(),
            "poisoned_stages_employer": poisoned_employer,
            "employer_deceived": poisoned_employer > 0,
            "trigger_success": last.trigger_success if last else None,
            "refused_by_population": {name: dict(counts) for name, counts in sorted(tally.rejected_from.items())},
        },
        "messages": {
            "sent": dict(sorted(tally.sent.items())),
            "accepted": dict(sorted(tally.accepted.items())),
            "ignored": dict(sorted(tally.ignored.items())),
            "rejected": dict(sorted(tally.rejected.items())),
            "bytes": tally.sent_bytes,
        },
    }


def compute_ledger(mechanism: Mechanism, blocks: Sequence[AnyBlock]) -> dict[str, Any]:
    """Return supply in coins, and number and volume of the transfers in a chain; what is bonded is not transferred."""
    supply = sum(line.balance + line.stake for line in mechanism.genesis.accounts)
    supply += sum(count_created(block.transactions, block.coinbase) for block in blocks)
    if mechanism.bonding is not None:
        supply -= find_last_state(mechanism, blocks).burnt
    transactions = [transaction for block in blocks for transaction in block.transactions]
    moved = [transaction.amount for transaction in transactions if transaction.recipient not in RESERVED]
    return {
        "supply": supply / MICRO_COINS_PER_COIN,
        "transactions": len(transactions),
        "coins_transferred": sum(moved) / MICRO_COINS_PER_COIN,
    }


def count_openings(world: World, blocks: Sequence[AnyBlock]) -> dict[str, float]:
    """Return how many transfers in a chain are users', how many accounts it opens for strangers, and the coins there.

    Strangers are owners of keys that no party of the run has.
    """
    labels = world.get_labels()
    users = {make_keys(user.key_seed).public for user in world.users}
    transfers = [transaction for block in blocks for transaction in block.transactions]
    known = {*labels, *RESERVED}
    to_strangers = [transfer for transfer in transfers if transfer.recipient not in known]
    return {
        "users_transactions": sum(transfer.author in users for transfer in transfers),
        "strangers_accounts": len({transfer.recipient for transfer in to_strangers}),
        "strangers_coins": sum(transfer.amount for transfer in to_strangers) / MICRO_COINS_PER_COIN,
    }


def write_summary(folder: Path, summary: Summary) -> None:
    """Write the summary with the SHA-256 digests of all other files, in one step; kept weights are named by theirs.

    Raises:
        OSError: The file cannot be written.
    """
    digests = {name: compute_file_digest(folder / name) for name in list_files(folder)}
    write_text_in_one_step(folder / SUMMARY_NAME, json.dumps({**summary, "files": digests}, indent=2) + "\n")


def list_files(folder: Path) -> list[str]:
    """Return the files below a run's folder that its summary lists, as paths with `/` between their parts."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path.as_posix() for path in found if path.parts[0] not in (SUMMARY_NAME, WEIGHTS_FOLDER)]
