"""The behaviours that proof of activity adds to the neutral ones."""

from simulation.attacks import Catalogue
from simulation.mechanisms.proof_of_activity.behaviours.withholding import ActivityWithholder


def add_behaviours(catalogue: Catalogue) -> None:
    """Add them."""
    catalogue.add(ActivityWithholder)
