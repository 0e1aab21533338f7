"""The behaviours that proof of work adds to the neutral ones."""

from simulation.attacks import Catalogue
from simulation.mechanisms.proof_of_work.behaviours.double_spending import PrivateDoubleSpender
from simulation.mechanisms.proof_of_work.behaviours.selfish import SelfishMiner


def add_behaviours(catalogue: Catalogue) -> None:
    """Add them."""
    catalogue.add(SelfishMiner, PrivateDoubleSpender)
