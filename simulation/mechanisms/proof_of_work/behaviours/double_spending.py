"""Miners that pay a merchant, and undo it once it has delivered."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from protocol.events import Broadcast, ChainRecord, Noted
from protocol.mechanism import NodeView
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.miner import Templates
from protocol.messages import Transaction
from protocol.turn import Turn
from protocol.types import AccountId, Hash32
from simulation.attacks import Adversary, Coalition, Parameters, Traits
from simulation.mechanisms.proof_of_work.behaviours.private_mining import Hiding, PrivateMiner
from simulation.mechanisms.proof_of_work.spends import Spend, Stage


class PrivateDoubleSpenderParameters(Parameters, frozen=True, kw_only=True):
    """What a double spender is told."""

    confirmations: Annotated[
        int, Meta(ge=1, le=1_000, description="blocks that its merchant waits for", extra={"unit": "blocks"})
    ] = 6
    head_start: Annotated[
        int, Meta(ge=0, le=100, description="blocks that it has in private when it pays", extra={"unit": "blocks"})
    ] = 1
    give_up: Annotated[
        int,
        Meta(ge=0, le=10_000, description="how far behind it gives up after the delivery", extra={"unit": "blocks"}),
    ] = 20


class _DoubleSpender(PrivateMiner):
    """Mines honestly until it has coins; then pays, and mines on a branch where it has not."""

    confirmations: int
    head_start: int
    give_up: int

    def __init__(self, mechanism: Templates, node: NodeView) -> None:
        """Begin with nothing to spend."""
        super().__init__(mechanism, node)
        self._root: ChainRecord | None = None
        """The block that its branch begins on; None while it mines like anybody else."""
        self._tip: ChainRecord = self.public
        """Last block of its branch."""
        self._instead: Transaction | None = None
        """The transfer to itself with the number of the payment."""
        self._payment: Transaction | None = None
        """The payment, once it is made."""
        self._is_delivered = False
        self._shown_tip: ChainRecord | None = None
        """Last block of its branch when that was shown; None before."""

    # ---- mining ----

    def choose_parent(self) -> ChainRecord:
        """Return the end of its branch, or of the others'."""
        return self._tip if self._root is not None else super().choose_parent()

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfer to itself for the first block of the branch, nothing for those on it."""
        if self._root is None or self._instead is None:
            return super().choose_transactions()
        return (self._instead,) if self._tip is self._root else ()

    def offer(self, turn: Turn, block: WorkedBlock) -> None:
        """Take a block that was found: keep it, unless the branch has been shown or there is none."""
        if self._root is None or self._shown_tip is not None:
            self.node.publish(turn, block)
        else:
            super().offer(turn, block)

    # ---- what it does about blocks ----

    def note(self, turn: Turn, record: ChainRecord) -> None:
        """Follow both branches, and take the next step of the attack if it is time."""
        is_own = self.is_own(record)
        if is_own and self._root is not None and record.parent == self._tip.hash:
            self._tip = record
            if self._shown_tip is not None:
                self.shown.add(record.hash)
        elif record.weight > self.public.weight and (not is_own or self._root is None):
            self.public = record
        if is_own and self._root is None:
            self.shown.add(record.hash)
        self._step(turn)

    def _step(self, turn: Turn) -> None:
        if self._root is None:
            self._prepare(turn)
        elif self._payment is None:
            self._wait_for_head_start(turn)
        else:
            self._pursue(turn, self._payment)

    def _prepare(self, turn: Turn) -> None:
        """Begin a branch where there is something to spend."""
        own = self.public.state.get_account(self.node.keys.public)
        if own.balance <= 1 or self.public.height + self.confirmations >= self.node.rules.chain.length:
            return
        fee = max(1, own.balance // 100)
        itself = self._transfer(own.nonce, self.node.keys.public, own.balance // 2, fee)
        self._root = self._tip = self.public
        self._instead, self._payment = itself, None
        self._is_delivered, self._shown_tip = False, None
        self._wait_for_head_start(turn)

    def _wait_for_head_start(self, turn: Turn) -> None:
        """Pay as soon as the branch is so far ahead; begin anew where the others are."""
        lead = self._tip.height - self.public.height
        if lead < 0:
            self._root = None
            self._prepare(turn)
        elif lead >= self.head_start and self._instead is not None:
            spent = self._instead
            self._payment = self._transfer(spent.nonce, self._find_merchant(), spent.amount, spent.fee)
            turn.add(Broadcast(self._payment))
            self._say(turn, "paid")

    def _pursue(self, turn: Turn, payment: Transaction) -> None:
        """Wait for the delivery; then show the branch once it is the longer one, or give up."""
        if self._shown_tip is not None and self._is_on(self._shown_tip, self.public):
            self._finish(turn, "undone")
            return
        if not self._is_delivered and self._count_confirmations(payment) >= self.confirmations:
            self._is_delivered = True
            self._say(turn, "delivered")
        behind = self.public.height - self._tip.height
        patience = self.give_up + (0 if self._is_delivered else self.confirmations)
        if self._is_delivered and self._tip.weight > self.public.weight:
            self._shown_tip = self._shown_tip or self._tip
            self.show(turn, self._tip)
            if self._tip.height == self.node.rules.chain.length:
                self._finish(turn, "undone")
        elif behind > patience:
            self._finish(turn, "given_up")

    def _finish(self, turn: Turn, stage: Stage) -> None:
        """Mine like anybody else again, from what is heaviest; an attack after it begins with the next block."""
        self._say(turn, stage)
        self._root, self._payment, self._instead = None, None, None
        self.public = self.node.tree.head

    # ---- what it sees ----

    def _is_on(self, below: ChainRecord, record: ChainRecord) -> bool:
        """Return whether a block is built on another one."""
        while record.height > below.height:
            record = self.node.tree.require(record.parent)
            if record.hash == below.hash:
                return True
        return False

    def _count_confirmations(self, payment: Transaction) -> int:
        """Return how many blocks of the others confirm the payment, that which holds it among them; 0 for none."""
        root, record = self._root, self.public
        while root is not None and record.height > root.height and record.block is not None:
            if any(item.signature == payment.signature for item in record.block.transactions):
                return self.public.height - record.height + 1
            record = self.node.tree.require(record.parent)
        return 0

    def _find_merchant(self) -> AccountId:
        """Return whom it pays: the first account of the genesis that is none of its coalition's."""
        lines = self.node.rules.mechanism.genesis.accounts
        return next((line.account for line in lines if line.account not in self._members), self.node.keys.public)

    def _transfer(self, nonce: int, recipient: AccountId, amount: int, fee: int) -> Transaction:
        keys = self.node.keys
        transfer = Transaction(author=keys.public, nonce=nonce, recipient=recipient, amount=amount, fee=fee)
        return self.node.rules.sign(keys, transfer)

    def _say(self, turn: Turn, stage: Stage) -> None:
        payment = self._payment
        if payment is not None:
            spend = Spend(
                stage=stage,
                payment=self.node.rules.hash_message(payment),
                merchant=payment.recipient,
                amount=payment.amount,
                confirmations=self._count_confirmations(payment),
                height=self.public.height,
                branch=self._tip.height,
            )
            turn.add(Noted(spend))


class PrivateDoubleSpender(Hiding, Adversary):
    """Goal: have what a merchant delivers, and the coins back (Nakamoto 2008; Rosenfeld 2014).

    It knows what any node knows. It mines until it has coins. Then it mines by itself on a branch in which it pays half
    of them to itself and, once that has its head start, pays them to a merchant who waits for some blocks. When these
    are there and its branch is the longer one it shows it; when it is too far behind it gives up. Then it begins again.
    Each node acts for itself. Expected: with a share q of the power, it succeeds by the negative binomial law of the
    blocks that are waited for; then the payment is gone from everybody's chain. Nobody is refused.
    """

    kind = "private_double_spender"
    mechanism = "proof_of_work"
    does = "pays a merchant, mines in private on a branch without the payment, shows it after the delivery"
    expected = "succeeds by a closed form: less with every block waited for, always from half of the power on"
    traits = Traits(
        passes_on=True, does_its_part=False, may_jam=False, is_private=True, keeps_back=True, is_strategic=True
    )
    parameters = PrivateDoubleSpenderParameters
    drawn = (PrivateDoubleSpenderParameters(confirmations=1), PrivateDoubleSpenderParameters(head_start=0))

    def __init__(
        self,
        generator: np.random.Generator,
        coalition: Coalition,
        *,
        confirmations: int,
        head_start: int,
        give_up: int,
    ) -> None:
        """Take how long its merchant waits, with what it begins, and when it gives up."""
        super().__init__(generator, coalition)
        self.told = None
        self.shown: set[Hash32] = set()
        given = {
            "told": None,
            "shown": self.shown,
            "confirmations": confirmations,
            "head_start": head_start,
            "give_up": give_up,
        }
        self.proposer = type("DoubleSpender", (_DoubleSpender,), given)
