"""Which file may import what, and which words it may use. The rules are data; a file that breaks one is named."""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.imports import ROOT, find_files, find_imports, imports_of, lies_below, list_sources

STDLIB: Final = frozenset(sys.stdlib_module_names)
PURE_STDLIB: Final = frozenset(
    {"__future__", "abc", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools"}
    | {"math", "operator", "struct", "types", "typing"}
)


@dataclass(frozen=True)
class Rule:
    """What the files matched by some patterns may import, or may not. A name stands for the modules below it too."""

    name: str
    files: tuple[str, ...]
    modules: frozenset[str]


@dataclass(frozen=True)
class Reserved:
    """Modules that only some files may import."""

    modules: frozenset[str]
    files: frozenset[str]


ALLOW: Final = (
    Rule("the core is pure", ("protocol/**/*.py",), PURE_STDLIB | {"msgspec", "nacl", "protocol"}),
    Rule(
        "attacks see only what a node sees",
        ("simulation/attacks/**/*.py",),
        STDLIB
        | {"msgspec", "numpy", "protocol", "simulation.attacks", "simulation.foundation.open_door"}
        | {"simulation.foundation.find_part"},
    ),
    Rule(
        "nor do attacks on one mechanism",
        ("simulation/mechanisms/*/behaviours/**/*.py",),
        STDLIB | {"msgspec", "nacl", "numpy", "protocol", "simulation.attacks", "simulation.mechanisms"},
    ),
)
FORBID: Final = (
    # Within the core.
    Rule("the core knows no mechanism", ("protocol/*.py",), frozenset({"protocol.mechanisms"})),
    Rule("the ledger knows no consensus", ("protocol/ledger.py",), frozenset({"protocol.node", "protocol.rules"})),
    Rule("fork choice knows no message", ("protocol/chain.py",), frozenset({"protocol.messages", "protocol.ledger"})),
    Rule(
        "judging does not write",
        ("protocol/rules.py", "protocol/mechanisms/*/judging.py"),
        frozenset({"protocol.node", "protocol.participant"}),
    ),
    # Around it.
    Rule(
        "nothing imports the command line",
        ("simulation/*/*/**/*.py", "simulation/[!c]*/*.py", "protocol/**/*.py"),
        frozenset({"simulation.commands.cli", "simulation.commands.main"}),
    ),
    Rule("nothing of ours imports a test", ("main.py", "protocol/**/*.py", "simulation/**/*.py"), frozenset({"tests"})),
    Rule("nothing is marshalled", ("protocol/**/*.py", "simulation/**/*.py"), frozenset({"marshal", "dill"})),
)
TRAINERS: Final = frozenset(
    f"simulation/training/{name}.py"
    for name in (
        "keras_trainer",
        "fused_optimizer",
        "model_checks",
        "models/cnn",
        "models/dense",
        "models/kind",
        "models/logistic",
    )
)
"""The first one prepares the process for what it loads; the others are only asked by who has loaded it."""

STREAMLIT: Final = frozenset(
    {"app", "live", "page_compare", "page_new", "page_node", "page_runs", "page_sweeps", "serving", "widgets"}
)
"""What the explorer's pages are made of; what they show is worked out elsewhere, without a browser."""
RESERVED: Final = (
    Reserved(
        frozenset({"keras", "tensorflow"}),
        TRAINERS,
    ),
    Reserved(frozenset({"yaml"}), frozenset({"simulation/scenario/strict_yaml.py"})),
    Reserved(frozenset({"ray"}), frozenset({"simulation/commands/sweeps/ray_executor.py"})),
    # What a party tells the process that started it; that pipe alone is trusted.
    Reserved(frozenset({"pickle"}), frozenset({"simulation/engines/processes/control_pipe.py"})),
    Reserved(frozenset({"streamlit"}), frozenset({f"simulation/explorer/{name}.py" for name in STREAMLIT})),
    Reserved(frozenset({"pyarrow"}), frozenset({"simulation/commands/sweeps/tables.py"})),
)
ENGINES: Final = ("processes", "virtual")
"""Folders of the engines; what lies beside them are parts that engines are made of."""
CONSENSUS_WORDS: Final = ("training", "declaration", "secret", "stakeholder", "proof of training", "poison")


def find_extra(names: Iterable[str], rule: Rule) -> list[str]:
    return [name for name in names if not lies_below(name, rule.modules)]


def find_forbidden(names: Iterable[str], rule: Rule) -> list[str]:
    return [name for name in names if lies_below(name, rule.modules)]


def find_set_iterations(source: str) -> Iterator[int]:
    """Yield lines that go through a set in its own order, which differs from one process to the next."""

    def is_set(node: ast.expr) -> bool:
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return isinstance(node, ast.Set | ast.SetComp) or (is_call and node.func.id in ("set", "frozenset"))  # type: ignore[attr-defined]

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            yield node.iter.lineno
        elif isinstance(node, ast.Starred) and is_set(node.value):
            yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ("tuple", "list", "iter", "enumerate", "join", "next") and any(map(is_set, node.args)):
                yield node.lineno


def find_builtin_hash_calls(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash":
            yield node.lineno


def find_words(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), start=1):
        if not line.startswith(("import ", "from ")):
            yield from ((number, word) for word in CONSENSUS_WORDS if word in line.lower().replace("-", " "))


def test_the_core_is_where_the_rules_look_for_it() -> None:
    assert len(find_files("protocol/**/*.py")) >= 20
    assert len(find_files("protocol/*.py")) >= 20


@pytest.mark.parametrize("rule", [*ALLOW, *FORBID], ids=lambda rule: rule.name)
def test_every_rule_has_files(rule: Rule) -> None:
    assert all(find_files(pattern) for pattern in rule.files)


@pytest.mark.parametrize("rule", ALLOW, ids=lambda rule: rule.name)
def test_imports_stay_inside_what_is_allowed(rule: Rule) -> None:
    for path in find_files(*rule.files):
        extra = find_extra(imports_of(path), rule)
        assert not extra, f"{path.relative_to(ROOT)} imports {extra}"


@pytest.mark.parametrize("rule", FORBID, ids=lambda rule: rule.name)
def test_imports_avoid_what_is_forbidden(rule: Rule) -> None:
    for path in find_files(*rule.files):
        found = find_forbidden(imports_of(path), rule)
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


@pytest.mark.parametrize("reserved", RESERVED, ids=lambda item: "-".join(sorted(item.modules)))
def test_a_heavy_library_is_imported_in_its_own_file_only(reserved: Reserved) -> None:
    for path in list_sources():
        if str(path.relative_to(ROOT)) not in reserved.files:
            found = [name for name in imports_of(path) if lies_below(name, reserved.modules)]
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_engines_do_not_import_one_another() -> None:
    for path in find_files("simulation/engines/**/*.py"):
        others = frozenset(f"simulation.engines.{name}" for name in ENGINES if name != path.parent.name)
        found = [name for name in imports_of(path) if lies_below(name, others)]
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_only_the_table_of_engines_names_one() -> None:
    """Whoever runs something asks the table; only virtual time, and what a party's process is given, others name."""
    engines = frozenset(f"simulation.engines.{name}" for name in ENGINES)
    shared = frozenset({"simulation.engines.virtual.EventQueue", "simulation.engines.processes.Setup"})
    for path in list_sources():
        if not path.is_relative_to(ROOT / "simulation" / "engines"):
            found = [name for name in imports_of(path) if lies_below(name, engines) and not lies_below(name, shared)]
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_the_core_neither_hashes_by_process_nor_walks_a_set() -> None:
    for path in find_files("protocol/**/*.py"):
        source = path.read_text("utf-8")
        lines = [*find_builtin_hash_calls(source), *find_set_iterations(source)]
        assert not lines, f"{path.relative_to(ROOT)}, lines {lines}"


@pytest.mark.parametrize("path", find_files("protocol/*.py"), ids=lambda path: path.stem)
def test_the_core_speaks_of_no_mechanism(path: Path) -> None:
    found = list(find_words(path.read_text("utf-8")))
    assert not found, f"{path.relative_to(ROOT)}: {found}"


# ---- the checks themselves ----


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import time", ["time"]),
        ("import os, random as r", ["os", "random"]),
        ("def f():\n    from os.path import join", ["os.path.join"]),
        ("from . import node", ["protocol.node"]),
        ("from ..simulation import host", ["simulation.host"]),
        ("import importlib\nimportlib.import_module('keras')", ["importlib", "keras"]),
        ("__import__('pickle')", ["pickle"]),
    ],
)
def test_the_check_sees_every_way_to_import(source: str, names: list[str]) -> None:
    assert list(find_imports(source, "protocol")) == names
    if names != ["protocol.node"]:
        assert not all(lies_below(name, ALLOW[0].modules) for name in names)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("the core is pure", "simulation.foundation.units"),
        ("the core is pure", "random"),
        ("attacks see only what a node sees", "simulation.scenario.Scenario"),
        ("attacks see only what a node sees", "simulation.foundation.derive_generator"),
        ("nor do attacks on one mechanism", "simulation.training.Trainer"),
    ],
)
def test_the_check_sees_what_is_not_allowed(rule: str, name: str) -> None:
    [found] = [item for item in ALLOW if item.name == rule]
    assert find_extra([name, "protocol.types.Digest"], found) == [name]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("the core knows no mechanism", "protocol.mechanisms.proof_of_training.mechanism"),
        ("the ledger knows no consensus", "protocol.node.Node"),
        ("fork choice knows no message", "protocol.messages"),
        ("judging does not write", "protocol.participant.Participant"),
        ("nothing imports the command line", "simulation.commands.cli.main"),
        ("nothing imports the command line", "simulation.commands.main"),
        ("nothing of ours imports a test", "tests.support.core"),
        ("nothing is marshalled", "marshal"),
    ],
)
def test_the_check_sees_what_is_forbidden(rule: str, name: str) -> None:
    [found] = [item for item in FORBID if item.name == rule]
    assert find_forbidden([name, "protocol.types.Digest"], found) == [name]


@pytest.mark.parametrize(
    "source",
    [
        "for item in {1, 2}: pass",
        "for item in set(items): pass",
        "[item for item in frozenset(items)]",
        "tuple({item for item in items})",
        "b''.join(set(items))",
        "f(*{1, 2})",
    ],
)
def test_the_check_sees_every_walk_through_a_set(source: str) -> None:
    assert list(find_set_iterations(source)) == [1]


def test_the_other_checks_see_what_they_look_for_and_nothing_else() -> None:
    assert list(find_set_iterations("for item in sorted({1, 2}): pass\nif x in {1, 2}: pass\nlen(set(y))")) == []
    assert list(find_builtin_hash_calls("x = hash(y)\nz = record.hash\nself._hash(m)")) == [1]
    assert list(find_words("from protocol.training import x\na = 1  # the Training secret")) == [
        (2, "training"),
        (2, "secret"),
    ]
    assert not lies_below("protocolling.x", frozenset({"protocol"}))
    assert lies_below("simulation.commands.cli.main", frozenset({"simulation.commands.cli"}))
