"""The data set that a scenario's job trains on."""

from simulation.scenario import Scenario, check_fit
from simulation.training import ImageSet, load_images


def load_data(scenario: Scenario) -> ImageSet:
    """Return the images.

    Raises:
        DatasetError: The data set the scenario insists on cannot be had.
        ScenarioError: The scenario does not fit the form of its data.
    """
    dataset = scenario.dataset
    images = load_images(dataset.name, dataset.path, is_required=dataset.required)
    check_fit(scenario, images.form, images.name)
    return images
