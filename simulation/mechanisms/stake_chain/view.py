"""What a user sees of a chain by stake: who has made how many blocks, and what became of the coins at stake."""

from collections import Counter
from collections.abc import Sequence

from simulation.records import LedBlock, Tally
from simulation.runs import Column, MechanismView, Summary


class StakeView(MechanismView):
    """Shows what only a chain by stake has."""

    columns = (Column("blocks made", rank=1),)

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the blocks they have made, which may not be in the chain."""
        made = Counter(block.part.leader for block in tally.blocks.values() if isinstance(block.part, LedBlock))
        return (str(sum(made[label] for label in labels)),)

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return what is at stake, and in how few hands the blocks lie."""
        stake, told = summary["measures"]["stake"], summary["training"]
        burnt = f", {told['coins_burnt']:,.2f} taken and destroyed" if told["coins_burnt"] else ""
        hands = f"Gini {stake['gini']:.2f}, {stake['nakamoto']} made more than half" if stake["nakamoto"] else "none"
        missed, stale = stake["missed"], stake["stale"]
        empty = [f"{missed:.1%} of the slots"] if missed is not None else []
        empty += [f"{stale:.1%} of the blocks are beside the chain"] if stale is not None else []
        return {
            "at stake": f"{told['coins_bonded']:,.2f} coins, {told['coins_unbonding']:,.2f} on their way back{burnt}",
            "makers": hands,
            **({"empty": "; ".join(empty)} if empty else {}),
        }
