"""The data set that a scenario's job trains on."""

from simulation.scenario import Scenario
from simulation.training import ImageSet, load_images


def load_data(scenario: Scenario) -> ImageSet:
    """Return the images.

    Raises:
        DatasetError: The data set the scenario insists on cannot be had.
    """
    dataset = scenario.dataset
    return load_images(dataset.name, dataset.path, is_required=dataset.required)
