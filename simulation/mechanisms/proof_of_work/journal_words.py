"""How journals write down the search for a nonce."""

from collections.abc import Hashable
from typing import Any

from protocol.events import WorkFinished
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce
from simulation.engines.parties import JournalWords
from simulation.mechanisms.proof_of_work.spends import Spend


class WorkWords(JournalWords):
    """Writes and reads what only proof of work knows about."""

    def describe_task(self, task: Hashable) -> str:
        """Return a search in words."""
        if not isinstance(task, SearchNonce):
            return super().describe_task(task)
        return f"search {task.digest.hex()} below {task.target} from {task.start}"

    def describe_noted(self, noted: object) -> str:
        """Return a step of a double spend in words."""
        if not isinstance(noted, Spend):
            return super().describe_noted(noted)
        return f"double spend {noted.payment.hex()} {noted.stage} at {noted.height}, branch {noted.branch}"

    def pack_work(self, task: Hashable, result: object) -> dict[str, Any]:
        """Return the fields of a line about a search."""
        if not (isinstance(task, SearchNonce) and isinstance(result, Searched)):
            return super().pack_work(task, result)
        asked = {"digest": task.digest.hex(), "target": task.target, "start": task.start}
        return {"event": "searched", **asked, "nonce": result.nonce, "tried": result.tried}

    def unpack_work(self, line: dict[str, Any]) -> WorkFinished:
        """Return the event of such a line."""
        if line["event"] != "searched":
            return super().unpack_work(line)
        task = SearchNonce(bytes.fromhex(line["digest"]), line["target"], line["start"])
        return WorkFinished(task, Searched(line["nonce"], line["tried"]))
