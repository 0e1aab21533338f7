"""What a data set is to those who look one up."""

from collections.abc import Callable
from dataclasses import dataclass

from simulation.training.data_sets.data_form import DataForm
from simulation.training.data_sets.image_set import ImageSet


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKind:
    """All that is known of a data set before it is loaded."""

    title: str
    """What sentences call it."""
    load: Callable[[str | None, bool], ImageSet]
    """Returns it, from the path that a scenario names and whether the data are required.

    It raises `simulation.training.DatasetError` where they cannot be had, or are not what they should be.
    """
    form: DataForm | None = None
    """Its form, if that is known without looking into it."""
    samples: int | None = None
    """Training samples, if that is known without looking into it."""
    variable: str | None = None
    """Environment variable that may name its file."""
    remedy: str = "name another one"
    """What to do where it cannot be had."""
    needs_path: bool = False
    """Whether a scenario has to say where it is."""
