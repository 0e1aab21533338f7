"""Adversaries that want others' room and bandwidth: places in their pools, megabytes of answers."""

from collections.abc import Iterable
from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.events import Broadcast, Event
from protocol.mempool import MAX_BLOCKS_STUCK, MAX_NONCE_LEAD
from protocol.messages import BlockRequest, Transaction
from protocol.types import Nanoseconds
from simulation.attacks.behaviour import Action, Core, SendBytes
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary
from simulation.attacks.traits import Parameters, Traits


class PoolFillerParameters(Parameters, frozen=True, kw_only=True):
    """What a filler of pools is told."""

    accounts: Annotated[
        int, Meta(ge=1, le=1_000, description="fresh accounts it opens", extra={"unit": "accounts"})
    ] = 40


class PoolFiller(Adversary):
    """Goal: keep users' transfers out by taking all places where they wait.

    It knows what any node knows. It opens fresh accounts, with no more than opening one takes, and once a block has
    them sends transfers of theirs with every number but the next one, so that none can ever be applied; again when
    others have forgotten them. Expected: where places go to whoever comes first every pool is full for good
    (`pool-full`), and the accounts cost nothing where opening one does not; else transfers that cannot be applied
    give their places to those that pay, and under version 2 it can open as many accounts as it has coins to leave
    on them.
    """

    kind = "pool_filler"
    does = "opens accounts, and sends transfers of theirs that can never be applied"
    expected = "a transfer that pays takes their places"
    traits = Traits(passes_on=True, does_its_part=True, is_strategic=True)
    parameters = PoolFillerParameters
    drawn = (PoolFillerParameters(accounts=2),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, accounts: int) -> None:
        """Take how many accounts it opens."""
        super().__init__(generator, coalition)
        self._puppets: Final = [KeyPair(generator.bytes(32)) for _ in range(accounts)]
        self._next_nonce = 0
        self._filled: dict[int, int] = {}
        """Height at which each puppet has spoken last."""

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Open accounts, and speak for those that are open."""
        head = core.tree.head
        yield from self._open(core)
        for number, puppet in enumerate(self._puppets):
            account = head.state.accounts.get(puppet.public)
            if account is None or self._filled.get(number, -MAX_BLOCKS_STUCK) + MAX_BLOCKS_STUCK > head.height:
                continue
            self._filled[number] = head.height
            for nonce in range(account.nonce + 1, account.nonce + MAX_NONCE_LEAD + 1):
                yield SendBytes(
                    encode_frame(core.rules.chain_id, self._pay(core, puppet, nonce, puppet, 0)), "stuffing"
                )

    def _open(self, core: Core) -> Iterable[Action]:
        """Open as many accounts as it can pay for, once those of before are settled."""
        state, deposit = core.tree.head.state, core.rules.chain.opening_deposit
        own = state.get_account(core.keys.public)
        if own.nonce < self._next_nonce:
            return
        missing = [puppet for puppet in self._puppets if puppet.public not in state.accounts]
        affordable = own.balance // deposit if deposit else len(missing)
        for nonce, puppet in enumerate(missing[:affordable], start=own.nonce):
            self._next_nonce = nonce + 1
            yield Broadcast(self._pay(core, core.keys, nonce, puppet, deposit))

    def _pay(self, core: Core, payer: KeyPair, nonce: int, payee: KeyPair, amount: int) -> Transaction:
        transfer = Transaction(author=payer.public, nonce=nonce, recipient=payee.public, amount=amount, fee=0)
        return core.rules.sign(payer, transfer)


class RequestFlooderParameters(Parameters, frozen=True, kw_only=True):
    """What a flooder with requests is told."""

    requests: Annotated[
        int, Meta(ge=1, le=10_000, description="copies for each message of its own", extra={"unit": "frames"})
    ] = 10


class RequestFlooder(Adversary):
    """Goal: have others send so much that their links are full.

    It knows what any node knows. With each message of its own it sends one request for all blocks again and again, the
    same bytes each time, and reads none of the answers. Expected: a neighbour is answered once between two
    announcements, and all other copies are ignored before their signature is looked at (`too-often`).
    """

    kind = "request_flooder"
    does = "sends one request for all blocks again and again"
    expected = "answered once between two announcements, `too-often` else"
    traits = Traits(passes_on=True, does_its_part=True, is_strategic=True)
    parameters = RequestFlooderParameters
    drawn = (RequestFlooderParameters(requests=3),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, requests: int) -> None:
        """Take how many requests go with each message of its own."""
        super().__init__(generator, coalition)
        self._requests = requests

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add requests to each message."""
        yield action
        if isinstance(action, Broadcast):
            request = BlockRequest(locator=(core.tree.genesis.hash,), author=core.keys.public)
            frame = encode_frame(core.rules.chain_id, core.keys.sign(core.rules.chain_id, request))
            for _ in range(self._requests):
                yield SendBytes(frame, "request")
