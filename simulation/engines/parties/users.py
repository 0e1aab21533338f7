"""What users do: hand their transfers to nodes, each at its time."""

from collections.abc import Callable, Iterator

from protocol.codec import encode_frame
from simulation.records import Fact, Sent
from simulation.scenario.world import PlannedTransfer


def issue_transfers(
    transfers: Iterator[PlannedTransfer],
    chain_id: bytes,
    *,
    call_at: Callable[[int, Callable[[], None]], None],
    broadcast: Callable[[bytes], int],
    record: Callable[[Fact, str], None],
) -> None:
    """Issue transfers one after the other: each that has been handed over schedules the next.

    Args:
        transfers: In order of time.
        chain_id: Of the chain they are for.
        call_at: Calls something at a time since the genesis, in nanoseconds.
        broadcast: Hands a frame to the nodes that users talk to; returns how many these are.
        record: Takes a fact and the party it is about.
    """

    def schedule_next() -> None:
        transfer = next(transfers, None)
        if transfer is not None:
            call_at(transfer.at, lambda: issue(transfer))

    def issue(transfer: PlannedTransfer) -> None:
        frame = encode_frame(chain_id, transfer.transaction)
        copies = broadcast(frame)
        nonce, size = transfer.transaction.nonce, copies * len(frame)
        record(Sent(kind="transaction", nonce=nonce, to="all", copies=copies, bytes=size), transfer.user)
        schedule_next()

    schedule_next()
