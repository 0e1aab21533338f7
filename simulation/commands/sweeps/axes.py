"""What a sweep varies: lists of values, ranges, and keys that change together."""

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from simulation.scenario import ScenarioError, shorten, show

MAX_CELLS: Final = 1_000_000
"""Most cells of a sweep: their results are some GB."""

MAX_DEPTH: Final = 20
"""How deep a value may be nested."""

_FORMS: Final = "a list of values, {from, to, step}, {from, to, count}, or {keys, values} for keys that change together"


@dataclass(frozen=True, slots=True)
class Axis:
    """One or more keys, and the values that they take together."""

    label: str
    """What stands before the colon: the key, or any name for a group of keys."""
    keys: tuple[str, ...]
    """Dotted keys of the scenario."""
    rows: tuple[tuple[Any, ...], ...]
    """A value for each key."""

    def describe(self) -> Any:  # noqa: ANN401 - raw YAML
        """Return the axis as a sweep file has it, ranges written out."""
        if self.keys == (self.label,):
            return [row[0] for row in self.rows]
        return {"keys": list(self.keys), "values": [list(row) for row in self.rows]}


def encode(value: object) -> str:
    """Return a value as text that is the same for equal values only."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read_axis(label: str, raw: object, where: str) -> Axis:
    """Return what one entry of `vary` stands for.

    Args:
        label: What stands before the colon.
        raw: What stands after it.
        where: File and path of the entry.

    Raises:
        ScenarioError: It is none of the forms, or has no value.
    """
    if isinstance(raw, dict) and ("keys" in raw or "values" in raw):
        axis = _read_group(label, raw, where)
    elif isinstance(raw, dict):
        axis = Axis(label, (label,), tuple((value,) for value in _read_range(raw, where)))
    elif isinstance(raw, list):
        axis = Axis(label, (label,), tuple((value,) for value in raw))
    else:
        raise ScenarioError(f"{where}: write {_FORMS}, not {show(raw)}")
    _check_rows(axis, where)
    return axis


def check_value(value: object, where: str, depth: int = 0) -> None:
    """Refuse what no key of a scenario can hold.

    Raises:
        ScenarioError: It holds a date, a number too long or values nested too deep.
    """
    if depth > MAX_DEPTH:
        raise ScenarioError(f"{where}: nested too deep; write at most {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            check_value(item, f"{where}.{shorten(key)}", depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_value(item, where, depth + 1)
    elif isinstance(value, int) and value.bit_length() > 63:
        raise ScenarioError(f"{where}: write a smaller whole number, not {show(value)}")
    elif not (value is None or isinstance(value, str | int | float)):
        raise ScenarioError(f"{where}: write text, a number, true, false, null, a list or keys, not {show(value)}")


def _check_rows(axis: Axis, where: str) -> None:
    if not axis.rows:
        raise ScenarioError(f"{where}: the list is empty; write at least one value, or leave the key out")
    seen: set[str] = set()
    for row in axis.rows:
        check_value(list(row), where)
        text = encode(row)
        if text in seen:
            raise ScenarioError(f"{where}: the value {shorten(text[1:-1])} stands twice; leave one out")
        seen.add(text)


def _read_group(label: str, raw: dict[str, Any], where: str) -> Axis:
    _check_names(raw, ("keys", "values"), where)
    keys, values = raw["keys"], raw["values"]
    if not isinstance(keys, list):
        raise ScenarioError(f"{where}.keys: write a list of dotted keys, such as [network.loss], not {show(keys)}")
    if not keys:
        raise ScenarioError(f"{where}.keys: the list is empty; write at least one dotted key, such as network.loss")
    for index, key in enumerate(keys):
        if not isinstance(key, str):
            raise ScenarioError(f"{where}.keys.{index}: write a dotted key, such as network.loss, not {show(key)}")
    if not isinstance(values, list):
        raise ScenarioError(f"{where}.values: write a list of lists with a value for each key, not {show(values)}")
    if not values:
        raise ScenarioError(f"{where}.values: the list is empty; write at least one row, with a value for each key")
    for index, row in enumerate(values):
        if not isinstance(row, list) or len(row) != len(keys):
            raise ScenarioError(
                f"{where}.values.{index}: write a list of {len(keys)} values, one for each of {', '.join(keys)}"
            )
    return Axis(label, tuple(keys), tuple(tuple(row) for row in values))


def _read_range(raw: dict[str, Any], where: str) -> list[int | float]:
    """Return the numbers of a range, as exact as if each had been written out."""
    pace = "count" if "count" in raw else "step"
    _check_names(raw, ("from", "to", pace), where)
    for name in ("from", "to", pace):
        is_number = isinstance(raw[name], int | float) and not isinstance(raw[name], bool)
        if not is_number or not -(2**63) < raw[name] < 2**63:  # which "not a number" is not either
            raise ScenarioError(f"{where}.{name}: write a finite number, not {show(raw[name])}")
    first, last = _to_fraction(raw["from"]), _to_fraction(raw["to"])
    count = _read_count(raw, where) if pace == "count" else _count_steps(raw, first, last, where)
    if count > MAX_CELLS:
        wanted = "a smaller count" if pace == "count" else "a larger step"
        raise ScenarioError(f"{where}.{pace}: {show(raw[pace])} makes more than {MAX_CELLS:,} values; write {wanted}")
    width = (last - first) / (count - 1) if count > 1 else Fraction(0)
    exact = [first + index * width for index in range(count)]
    is_whole = all(isinstance(raw[name], int) for name in ("from", "to")) and all(x.denominator == 1 for x in exact)
    return [int(number) if is_whole else float(number) for number in exact]


def _count_steps(raw: dict[str, Any], first: Fraction, last: Fraction, where: str) -> int:
    step = _to_fraction(raw["step"])
    if step == 0 or (last - first) / step < 0:
        wanted = "above" if last > first else "below"
        raise ScenarioError(
            f"{where}.step: {raw['step']} never leads from {raw['from']} to {raw['to']}; write a number {wanted} 0"
        )
    steps = (last - first) / step
    if steps.denominator != 1:
        nearest = float(first + int(steps) * step)
        raise ScenarioError(
            f"{where}.step: steps of {raw['step']} from {raw['from']} reach {nearest:g} and miss {raw['to']}; "
            f"write another step, or count instead of step"
        )
    return int(steps) + 1


def _read_count(raw: dict[str, Any], where: str) -> int:
    count, is_point = raw["count"], raw["from"] == raw["to"]
    if not isinstance(count, int) or count < 1:
        raise ScenarioError(f"{where}.count: write a whole number, 1 or more, not {show(count)}")
    if is_point != (count == 1):
        wanted = "1, as both ends are the same" if is_point else "2 or more, as both ends are among them"
        raise ScenarioError(f"{where}.count: write {wanted}, not {count}")
    return count


def _to_fraction(number: float) -> Fraction:
    """Return a number as it was written: 0.1 is a tenth, and not the nearest binary fraction."""
    return Fraction(repr(number))


def _check_names(raw: dict[str, Any], wanted: tuple[str, ...], where: str) -> None:
    unknown = next((name for name in raw if name not in wanted), None)
    if unknown is not None:
        raise ScenarioError(f"{where}.{shorten(unknown)}: unknown key; write {', '.join(wanted)}, or {_FORMS}")
    missing = next((name for name in wanted if name not in raw), None)
    if missing is not None:
        raise ScenarioError(f"{where}.{missing}: missing; write {', '.join(wanted)}, or {_FORMS}")
