"""Records what shipped scenarios and short studies give, byte for byte, and compares them with another version.

    python -m benchmarks.traces --write before.json
    python -m benchmarks.traces --compare before.json

A change that claims to leave behaviour as it was gives equal digests. Everything goes through the command line, so the
two versions need have nothing else in common. What names the code (its version, the fingerprint) or its execution
(date, cost) is left out. Digests hold on one machine: real training has the bits of its arithmetic profile.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
SEEDS: Final = (7, 8)

SCENARIOS: Final[dict[str, tuple[str, ...]]] = {
    "default": (),
    "majority_attack": (),
    "troublemakers": (),
    "partition": (),
    "tolerance": (),
    "thousands": ("populations.honest.count=300",),
    "backdoor": (),
    "private_majority": (),
    "sybil": (),
    "double_spender": (),
    "withheld_headers": (),
    "free_rider": (),
    "lazy_verifier": (),
    "equivocator": (),
    "timestamp_grinder": (),
    "eclipse": (),
    "flooder": (),
    "garbage": (),
}
"""Shipped scenarios, and what is set in them."""

STUDIES: Final[dict[str, dict[str, Any]]] = {
    "race": {
        "scenario": "configs/studies/race.yaml",
        "vary": {
            "rule": {
                "keys": ["protocol.confidence", "protocol.stakeholders", "run.time_limit_s"],
                "values": [[{"count": 3}, 1, 300.0], [{"stake_share": 0.5}, 3, 300.0]],
            },
            "share": {
                "keys": ["populations.honest.count", "populations.attackers.count"],
                "values": [[15, 5], [10, 10], [6, 14]],
            },
        },
        "repeats": 4,
        "seed": 1,
    },
    "withholding": {
        "scenario": "configs/studies/withholding.yaml",
        "vary": {"populations.withholders.count": [0, 4]},
        "repeats": 3,
        "seed": 5,
    },
    "mixed": {
        "scenario": "configs/sweeps/example.yaml",
    },
}
"""Sweeps in a short form; one with nothing but a name is run as it is shipped."""

VOLATILE: Final = re.compile(rb'("?(?:fingerprint|code_version)"?[:=] ?)"?[^",\s]+"?')
EXECUTION: Final = re.compile(rb"^.* run (date|cost) .*\n", re.MULTILINE)


Words = Sequence[tuple[bytes, ...]]
"""New and old names of events."""


@dataclass(frozen=True)
class Item:
    """One thing to run, and the name its digests get."""

    name: str
    arguments: tuple[str, ...]
    files: tuple[str, ...]


def main() -> int:
    """Run everything, and write or compare; return 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__.split("\n", maxsplit=1)[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE", help="write the digests there")
    what.add_argument("--compare", type=Path, metavar="FILE", help="compare with the digests that are there")
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the normalised files there, to be compared")
    parser.add_argument(
        "--word",
        action="append",
        default=[],
        metavar="NEW=OLD",
        help="an event that had another name when the digests were written",
    )
    chosen = parser.parse_args()
    words = [tuple(word.encode().split(b"=", 1)) for word in chosen.word]
    with tempfile.TemporaryDirectory(prefix="traces-") as scratch, ThreadPoolExecutor(2) as pool:
        items = [item for item in list_items(Path(scratch)) if chosen.only in item.name]
        found = list(pool.map(lambda item: run_item(item, Path(scratch), chosen.keep, words), items))
    digests = {name: digest for part in found for name, digest in part.items()}
    if chosen.write:
        chosen.write.write_text(json.dumps(digests, indent=2) + "\n", "utf-8")
        print(f"{len(digests)} digests of {len(items)} runs and sweeps")
        return 0
    known: dict[str, str] = json.loads(chosen.compare.read_text("utf-8"))
    names = sorted(name for name in {*known, *digests} if chosen.only in name)
    different = [name for name in names if known.get(name) != digests.get(name)]
    for name in different:
        print(f"DIFFERENT: {name}")
    print(f"{len(names)} digests of {len(items)} runs and sweeps, {len(different)} different")
    return 1 if different else 0


def list_items(scratch: Path) -> Iterator[Item]:
    """Yield what is to be run; the sweeps' files are written to the scratch folder."""
    for name, study in STUDIES.items():
        path = ROOT / study["scenario"]
        if len(study) > 1:
            path = scratch / f"short-{name}.yaml"
            document = {"name": name, "description": name, **study, "scenario": str(ROOT / study["scenario"])}
            path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        yield Item(f"sweep/{name}", ("sweep", str(path), "--jobs", "1"), ("results.csv", "aggregate.csv"))
    for seed in SEEDS:
        for name, settings in SCENARIOS.items():
            given = ("engine=virtual", "output.pictures=false", *settings)
            options = tuple(word for setting in given for word in ("--set", setting))
            files = ("events.jsonl", "chain.jsonl", "pot_sim.log", "summary.json")
            yield Item(f"run/{name}/{seed}", ("run", name, "--seed", str(seed), *options), files)


def run_item(item: Item, scratch: Path, keep: Path | None, words: Words) -> dict[str, str]:
    """Run one item in a folder of its own and return the digest of each of its files."""
    folder = scratch / item.name.replace("/", "-")
    folder.mkdir()
    command = (sys.executable, str(ROOT / "main.py"), *item.arguments, "--out", str(folder))
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    result = {f"{item.name}/exit": str(done.returncode)}
    for name in item.files:
        paths = sorted(folder.glob(f"*/{name}"))
        content = normalise(paths[0].read_bytes(), name, words) if paths else done.stderr
        result[f"{item.name}/{name}"] = hashlib.sha256(content).hexdigest()
        if keep:
            kept = keep / item.name.replace("/", "-") / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)
    return result


def normalise(content: bytes, name: str, words: Words = ()) -> bytes:
    """Leave out what names the code or its execution; give events the names that they had."""
    for new, old in words:
        if name == "events.jsonl":
            content = re.sub(rb'("(?:event|what)": ?)"%s"' % new, rb'\1"%s"' % old, content)
        if name == "pot_sim.log":
            content = re.sub(rb"(?m)^( *[\d.]+ \w+ +\S+ |.* what=)%s\b" % new, rb"\1%s" % old, content)
    if name == "summary.json":
        summary = json.loads(content)
        left = {key: value for key, value in summary.items() if key not in ("cost", "files")}
        left["cost"] = {key: value for key, value in summary["cost"].items() if key.startswith("train_")}
        content = json.dumps(left, indent=1, sort_keys=True).encode()
    if name == "results.csv":  # a cell's name is made from the version of the code
        rows = list(csv.reader(io.StringIO(content.decode())))
        left_out = rows[0].index("cell")
        content = "\n".join(",".join(row[:left_out] + row[left_out + 1 :]) for row in rows).encode()
    return VOLATILE.sub(rb"\1-", EXECUTION.sub(b"", content))


if __name__ == "__main__":
    sys.exit(main())
