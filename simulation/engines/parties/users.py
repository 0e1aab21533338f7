"""What users do: hand their transfers to nodes, each at its time."""

from collections.abc import Callable, Iterator

from protocol.codec import encode_frame
from simulation.records.record import INFO, Value
from simulation.scenario.world.transfers import PlannedTransfer


def issue_transfers(
    transfers: Iterator[PlannedTransfer],
    chain_id: bytes,
    *,
    call_at: Callable[[int, Callable[[], None]], None],
    broadcast: Callable[[bytes], int],
    record: Callable[[str, str, str, dict[str, Value]], None],
) -> None:
    """Issue transfers one after the other: each that has been handed over schedules the next.

    Args:
        transfers: In order of time.
        chain_id: Of the chain they are for.
        call_at: Calls something at a time since the genesis, in nanoseconds.
        broadcast: Hands a frame to the nodes that users talk to; returns how many these are.
        record: Takes the party, level, event and fields of a record.
    """

    def schedule_next() -> None:
        transfer = next(transfers, None)
        if transfer is not None:
            call_at(transfer.at, lambda: issue(transfer))

    def issue(transfer: PlannedTransfer) -> None:
        frame = encode_frame(chain_id, transfer.transaction)
        copies = broadcast(frame)
        fields: dict[str, Value] = {"kind": "transaction", "nonce": transfer.transaction.nonce, "to": "all"}
        record(transfer.user, INFO, "sent", {**fields, "copies": copies, "bytes": copies * len(frame)})
        schedule_next()

    schedule_next()
