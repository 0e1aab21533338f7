"""One node alone: it writes records into blocks, works for each, and chains them, at the pace of who clicks."""

import random
from typing import Any, Final, NamedTuple

import msgspec

import simulation as pot
from protocol.crypto import KeyPair
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.proof_of_work.work import SearchNonce, compute_header_digest, search
from protocol.messages import Transaction
from protocol.types import MICRO_COINS_PER_COIN
from simulation.explorer.chain_lab import BROKEN, ChainLab
from simulation.foundation import SimulationError
from simulation.scenario.world import build_world, make_keys
from simulation.training import MADE_UP_DATA

ZERO_BITS: Final = 12
"""Zero bits that a block's guess must have: about 4,000 tries, which take some milliseconds."""

MOST_ZERO_BITS: Final = 18
MOST_BLOCKS: Final = 500
MOST_TRIES: Final = 1 << 24
"""Nonces that are tried before the node gives up; with the most zero bits one block in 10^28 takes more."""

NODE: Final = "node"
COINS: Final = 100.0
"""What each user begins with."""


class RecordError(SimulationError):
    """A record cannot stand in the next block; the text says why."""


class Waiting(NamedTuple):
    """A record that waits for the next block."""

    who: str
    to: str
    coins: float
    transaction: Transaction


class OneNode:
    """A chain by work with one miner and three users who pay each other."""

    def __init__(self, zero_bits: int = ZERO_BITS, seed: int = 1) -> None:
        """Begin with the genesis.

        Raises:
            ScenarioError: There are too many or too few zero bits.
        """
        if not 2 <= zero_bits <= MOST_ZERO_BITS:
            raise RecordError(f"{zero_bits} zero bits: write 2 to {MOST_ZERO_BITS}; more take minutes")
        mechanism = {"name": "proof_of_work", "zero_bits": zero_bits, "window": 0, "length": MOST_BLOCKS}
        mechanism |= {"virtual_work": "hashed"}
        scenario = pot.load(
            {
                "name": "one_node",
                "description": "one node alone",
                "engine": "virtual",
                "seed": seed,
                "mechanism": mechanism,
                "populations": [{"name": NODE, "role": "honest", "count": 1, "stake": 0.0}],
                "users": {"count": 3, "balance": COINS, "transactions": 0},
            }
        )
        world = build_world(scenario.keys, MADE_UP_DATA.name, bytes(32))
        mechanism_rules = world.mechanism
        if not isinstance(mechanism_rules, ProofOfWork):
            raise TypeError("the one node works for its blocks")
        self.zero_bits = zero_bits
        self._mechanism = mechanism_rules
        self.lab = ChainLab(mechanism_rules)
        self._keys: dict[str, KeyPair] = {user.label: make_keys(user.key_seed) for user in world.users}
        self._keys[NODE] = make_keys(world.nodes[0].key_seed)
        self.waiting: list[Waiting] = []
        """Records for the next block."""
        self._written: list[tuple[Waiting, ...]] = []
        """The records of each block, as they were when it was made."""
        self.tries: list[int] = []
        """How many nonces each block took."""
        self._random = random.Random(seed)  # noqa: S311 - where the search for a nonce begins is no secret

    @property
    def parties(self) -> list[str]:
        """Who can pay, and be paid."""
        return sorted(self._keys)

    def list_balances(self) -> list[dict[str, Any]]:
        """Return what each has after the blocks that hold."""
        state = self.lab.judge().records[-1].state
        return [
            {"who": who, "coins": state.get_account(keys.public).balance / MICRO_COINS_PER_COIN}
            for who, keys in sorted(self._keys.items())
        ]

    def add_record(self, who: str, to: str, coins: float) -> None:
        """Let somebody pay somebody else in the next block.

        Raises:
            RecordError: Nobody is called so, or the payer has too little.
        """
        for name in (who, to):
            if name not in self._keys:
                raise RecordError(f"{name}: nobody is called so; write one of {', '.join(self.parties)}")
        if who == to:
            raise RecordError(f"{who} cannot pay itself; choose two parties")
        amount = round(coins * MICRO_COINS_PER_COIN) if 0 < coins <= 1e9 else 0
        if amount < 1:
            raise RecordError(f"{coins:g} coins: write more than 0 and at most 1,000,000,000")
        head = self._find_head()
        keys = self._keys[who]
        before = [record.transaction for record in self.waiting]
        account = head.state.get_account(keys.public)
        nonce = account.nonce + sum(item.author == keys.public for item in before)
        bare = Transaction(author=keys.public, recipient=self._keys[to].public, amount=amount, fee=0, nonce=nonce)
        signed = self.lab.rules.sign(keys, bare)
        verdict = self.lab.rules.judge_transfers(head, (*before, signed))
        reason = getattr(verdict, "reason", None)
        if reason is not None:
            raise RecordError(f"{who} cannot pay {amount / MICRO_COINS_PER_COIN:,} coins to {to}: {reason.value}")
        self.waiting.append(Waiting(who, to, coins, signed))

    def make_block(self) -> int:
        """Work for a block with the records that wait; return how many nonces that took.

        Raises:
            RecordError: The chain is broken, or as long as it may become.
        """
        head, keys, rules = self._find_head(), self._keys[NODE], self.lab.rules
        if head.height >= MOST_BLOCKS:
            raise RecordError(f"the chain has {MOST_BLOCKS} blocks, which is all it may have; start a new one")
        transfers = tuple(record.transaction for record in self.waiting)
        template = self._mechanism.build_template(head, keys.public, head.slot + 1, transfers)
        digest = compute_header_digest(rules.chain_id, template)
        task = SearchNonce(digest, template.target, self._random.getrandbits(60))
        found = search(self._mechanism.genesis.hash_name, task, MOST_TRIES)
        if found.nonce is None:
            raise RecordError(f"{found.tried:,} tries in vain; try again")
        block = rules.sign(keys, msgspec.structs.replace(template, nonce=found.nonce))
        self.lab.append(rules.encode(block))
        self._written.append(tuple(self.waiting))
        self.waiting.clear()
        self.tries.append(found.tried)
        return found.tried

    def list_records(self) -> list[dict[str, Any]]:
        """Return the records of all blocks, as they were written, in their order, and whether they count."""
        good = len(self.lab.judge().records) - 1
        return [
            {
                "height": height,
                "from": item.who,
                "to": item.to,
                "coins": item.coins,
                "counts": "yes" if height <= good else "no: its block is not on a chain that holds",
            }
            for height, written in enumerate(self._written, start=1)
            for item in written
        ]

    def describe_loss(self) -> str | None:
        """Return what has become of records and coins if the chain is broken; None where it holds."""
        good = len(self.lab.judge().records) - 1
        if good == self.lab.height:
            return None
        lost = [item for written in self._written[good:] for item in written]
        first, last = good + 1, self.lab.height
        which = f"block {first} is" if first == last else f"blocks {first} to {last} are"
        moved = f"the {len(lost)} records in them" if len(lost) != 1 else "the one record in them"
        coins = sum(item.coins for item in lost)
        what = f"{moved} ({coins:,.6g} coins in all) moved nothing, and" if lost else "no record was in them, but"
        return (
            f"To whoever checks this chain {which} not there: {what} the node has no reward for them. "
            f"Everybody has what the chain up to height {good} says. Undo the edits, and all of it counts again."
        )

    def _find_head(self) -> Any:  # noqa: ANN401 - a record of the core
        judged = self.lab.judge()
        if judged.fault is not None:
            raise RecordError(
                f"the block at height {len(judged.records)} is {BROKEN.lower()}; undo the edit before you go on"
            )
        return judged.records[-1]
