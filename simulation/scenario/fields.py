"""What sections of a scenario file are made of: their base class, and the types of numbers and texts in them."""

import os
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from protocol.types import MICRO_COINS_PER_COIN
from simulation.training import MAX_CLASSES

NAME_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,39}$"

MAX_FILE_NAME_BYTES: Final = 255
"""Longest name of a file or folder that common file systems take."""


def _join_lines(text: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return folded or multi-line text as one line."""
    return " ".join(text.split()) if isinstance(text, str) else text


def _refuse_controls(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write printable text, without control characters")
    return text


def _refuse_long_names(path: str) -> str:
    longest = max((len(os.fsencode(part)) for part in Path(path).parts), default=0)
    if longest > MAX_FILE_NAME_BYTES:
        raise ValueError(f"a file name has at most {MAX_FILE_NAME_BYTES} bytes, and one in this path has {longest}")
    return _refuse_controls(path)


def _refuse_dust(coins: float) -> float:
    if 0 < coins * MICRO_COINS_PER_COIN < 1:
        raise ValueError(f"write 0, or {1 / MICRO_COINS_PER_COIN:f} or more: coins are counted in millionths")
    return coins


Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Coins = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False), AfterValidator(_refuse_dust)]
Label = Annotated[int, Field(ge=0, le=MAX_CLASSES - 1)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
OneLine = Annotated[
    str, BeforeValidator(_join_lines), Field(min_length=1, max_length=400), AfterValidator(_refuse_controls)
]
FilePath = Annotated[str, Field(min_length=1, max_length=4095), AfterValidator(_refuse_long_names)]


class Section(BaseModel):
    """A mapping of a scenario file. Unknown keys and wrong types are refused; defaults are checked like the rest."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)
