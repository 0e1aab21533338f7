"""Small chains by activity: easy to find templates for, and different in what a test is about."""

from typing import Any

from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis, ActivityShares
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.support.core import keys

SHARES = ActivityShares(miner=500_000, signers=300_000, closer=200_000)


def make_activity(nodes: int = 3, length: int = 4, *, stakes: tuple[int, ...] = (), **changes: Any) -> ProofOfActivity:
    """Return the mechanism of a chain; ``changes`` replace fields of the genesis or of its difficulty."""
    own: dict[str, Any] = {name: changes.pop(name) for name in ("drawn", "needed", "shares") if name in changes}
    work = make_work(nodes, length, **changes).genesis
    bonds = {keys(index).public: stake for index, stake in enumerate(stakes or (1_000_000,) * nodes)}
    accounts = tuple(
        GenesisAccount(account=line.account, balance=line.balance, stake=bonds.get(line.account, 0))
        for line in work.accounts
    )
    drawn = own.get("drawn", 3)
    given: dict[str, Any] = {name: getattr(work, name) for name in work.__struct_fields__}
    given.update({"drawn": drawn, "needed": drawn, "shares": SHARES, "accounts": accounts, **own})
    return ProofOfActivity(ActivityGenesis(**given))
