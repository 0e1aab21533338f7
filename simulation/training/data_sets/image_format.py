"""The shape of images and the number of classes, for those who must not load NumPy to know them."""

from typing import Final

SIDE: Final = 28
"""Width and height of an image, in pixels."""

PIXELS: Final = SIDE * SIDE
CLASSES: Final = 10
