"""What `tests.protocol.test_vectors` freezes of chain-based proof of stake: accounts, leaders, secrets and blocks."""

import hashlib
from typing import Any

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.codec import encode_frame
from protocol.crypto import framed
from protocol.mechanisms.stake_chain.drawing import draw_from, open_books
from protocol.mechanisms.stake_chain.secrets import compute_step
from protocol.types import AccountId
from tests.protocol.mechanisms.stake_chain.chains import STAKE, Chain, make_stake


def build_stake_vectors() -> dict[str, Any]:
    """Return all that is frozen."""
    chain = Chain(make_stake(stakes=[STAKE, 2 * STAKE, 3 * STAKE], length=20))
    leaders = {str(slot): name(chain.find_leader(slot)) for slot in range(1, 8)}
    for slot in range(1, 9):
        chain.grow(slot, transactions=(chain.pay(0, chain.rules.chain_id, 5),))
    later = {str(slot): name(chain.find_leader(slot)) for slot in range(9, 20)}
    culprits = chain.double(9)
    slot = next(slot for slot in range(10, 40) if chain.find_leader(slot) != culprits[0].author)
    accusing = chain.grow(slot, evidence=(chain.accuse(*culprits),))
    block = accusing.block
    assert block is not None
    naive = Chain(make_stake(3, drawn_by="parent_hash"))
    return {
        "reserved": {"deposits": DEPOSITS.hex(), "withdrawals": WITHDRAWALS.hex()},
        "chain_id": chain.rules.chain_id.hex(),
        "leaders": leaders,
        "leaders_later": later,
        "leaders_naive": {str(slot): name(naive.find_leader(slot)) for slot in range(1, 8)},
        "mix": chain.mechanism.find_books(chain.rules, accusing).closings[-1].mix.hex(),
        "secrets": [chain.secrets[block.author].get(made).hex() for made in (0, 1, 20)],
        "block": encode_frame(chain.rules.chain_id, block).hex(),
        "block_hash": accusing.hash.hex(),
        "rank": accusing.rank.hex(),
    }


def name(owner: AccountId | None) -> str:
    return owner.hex() if owner is not None else ""


def tagged(tag: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(framed(tag, *parts)).digest()


def test_leaders_seeds_and_steps_are_those_of_the_written_definitions() -> None:
    """docs/stake_chain.md, computed here without the code that is tested."""
    chain = Chain(make_stake(stakes=[STAKE, 2 * STAKE, 3 * STAKE]))
    seed = tagged(b"pot/stake/seed/1", tagged(b"pot/stake/mix/1", chain.rules.chain_id), (1).to_bytes(8, "big"))
    assert draw_from(open_books(chain.rules.origin), 1).seed == seed
    coin = int.from_bytes(tagged(b"pot/stake/leader/1", seed, (5).to_bytes(8, "big")), "big") % (6 * STAKE)
    laid = sorted((line.account, line.stake) for line in chain.mechanism.genesis.accounts)
    ends = [sum(stake for _, stake in laid[: count + 1]) for count in range(3)]
    assert chain.find_leader(5) == laid[next(place for place, end in enumerate(ends) if coin < end)][0]
    assert compute_step(bytes(32)) == tagged(b"pot/stake/step/1", bytes(32))
    assert tagged(b"pot/bonding/deposits/1") == DEPOSITS
    assert tagged(b"pot/bonding/withdrawals/1") == WITHDRAWALS
