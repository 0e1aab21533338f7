"""How journals write down that a template was found, besides the search for it."""

from protocol.mechanisms.proof_of_activity.facts import TemplateFound
from simulation.mechanisms.proof_of_work import WorkWords


class ActivityWords(WorkWords):
    """Writes what only proof of activity knows about."""

    def describe_noted(self, noted: object) -> str:
        """Return in words that a template was found."""
        if not isinstance(noted, TemplateFound):
            return super().describe_noted(noted)
        return f"found template {noted.template.hex()} on {noted.parent.hex()}"
