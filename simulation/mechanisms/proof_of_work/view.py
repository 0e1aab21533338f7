"""What a user sees of hashing: who has tried how many nonces, and what became of them."""

from collections import Counter
from collections.abc import Sequence

from simulation.records import MinedBlock, Tally
from simulation.runs import Column, MechanismView, Summary


class WorkView(MechanismView):
    """Shows what only proof of work has."""

    columns = (Column("tries", rank=2), Column("blocks found", rank=1))

    def describe_head(self, tally: Tally) -> str:
        """Return how hard the last block of the employer's chain was."""
        last = tally.blocks.get(tally.employer.head)
        return f"{last.part.hashes:,} tries a block" if last and isinstance(last.part, MinedBlock) else ""

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return how many nonces they have tried, and the blocks they have found, which may not be in the chain."""
        found = Counter(block.part.miner for block in tally.blocks.values() if isinstance(block.part, MinedBlock))
        return f"{sum(tally.work.tries[label] for label in labels):,}", str(sum(found[label] for label in labels))

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return how many tries the blocks took, and whether any was made."""
        work, last = summary["measures"]["work"], summary["training"]["hashes_last"]
        each = f", {work['tries_each']:,.0f} for each block" if work["tries_each"] is not None else ""
        drawn = ", drawn and not made" if work["tries_drawn"] else ""
        hardness = f"; the last block takes {last:,} on average" if last is not None else ""
        return {
            "work": f"{work['tries']:,} tries{each}{drawn}{hardness}",
            **({"stale blocks": f"{work['stale']:.1%}"} if work["stale"] is not None else {}),
        }

    def list_costs(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return the CPU-seconds of hashing."""
        work = summary["measures"]["work"]
        return {"simulated hashing" if work["tries_drawn"] else "hashing": f"{work['hash_cpu_s']:,.1f} CPU-s"}
