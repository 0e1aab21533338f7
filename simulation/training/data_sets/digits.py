"""The data set that is always there: 1,797 handwritten digits that scikit-learn brings along.

They are the test part of "Optical Recognition of Handwritten Digits" of the UCI Machine Learning Repository (Alpaydin
and Kaynak, 1998), which is under the licence CC BY 4.0. Nothing of it is in this package.
"""

from typing import Final

import numpy as np

from simulation.training.data_sets.data_form import MNIST_FORM
from simulation.training.data_sets.image_set import ImageSet
from simulation.training.data_sets.kind import DataKind

DIGITS: Final = "digits"
DIGITS_TRAINING: Final = 1500


def load_digits(source: str = "bundled with scikit-learn") -> ImageSet:
    """Return the digits in the form of MNIST: each 8x8 pixel drawn 3x3 large inside a border of two."""
    from sklearn import datasets  # noqa: PLC0415 - half a second that an MNIST run need not spend

    digits = datasets.load_digits()
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    drawn = np.pad(small.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    large = drawn.reshape(-1, MNIST_FORM.numbers)
    labels = digits.target.astype(np.uint8)
    cut = DIGITS_TRAINING
    return ImageSet(DIGITS, source, large[:cut], labels[:cut], large[cut:], labels[cut:])


DIGITS_KIND: Final = DataKind(
    title="scikit-learn's digits",
    load=lambda path, is_required: load_digits(),
    form=MNIST_FORM,
    samples=DIGITS_TRAINING,
)
