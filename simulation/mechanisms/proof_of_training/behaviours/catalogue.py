"""The behaviours that proof of training adds to the neutral ones."""

from simulation.attacks import Catalogue, DoubleSpender, Forger
from simulation.mechanisms.proof_of_training.behaviours.fabricating import Fabricator
from simulation.mechanisms.proof_of_training.behaviours.false_rights import Equivocator, StakeLiar, TimestampGrinder
from simulation.mechanisms.proof_of_training.behaviours.free_riding import DeclarationSpoiler, FreeRider, LazyVerifier
from simulation.mechanisms.proof_of_training.behaviours.grinding import Grinder
from simulation.mechanisms.proof_of_training.behaviours.rebuilding import LateReplacer, SiblingRider
from simulation.mechanisms.proof_of_training.behaviours.stalling import PrivateDeclarer, SiblingStaller
from simulation.mechanisms.proof_of_training.behaviours.vetoing import Partisan
from simulation.mechanisms.proof_of_training.behaviours.withholding import CensoringWrapper, Withholder


def add_behaviours(catalogue: Catalogue) -> None:
    """Add them, each beside neutral behaviours that are like it."""
    catalogue.add(FreeRider, LazyVerifier, DeclarationSpoiler, Equivocator, before=Forger.kind)
    catalogue.add(Grinder, SiblingRider, LateReplacer, Fabricator, before=DoubleSpender.kind)
    catalogue.add(StakeLiar, TimestampGrinder, Withholder, CensoringWrapper, before=DoubleSpender.kind)
    catalogue.add(Partisan, PrivateDeclarer, SiblingStaller, before=DoubleSpender.kind)
