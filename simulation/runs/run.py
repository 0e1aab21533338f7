"""One run from a scenario to its folder."""

import shlex
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from simulation.analysis.after_run import find_broken, find_standstill, is_exact, must_agree
from simulation.analysis.during_run import Watch
from simulation.runs.chain_file import write_chain
from simulation.records.run_files import (
    CHAIN_NAME,
    EVENTS_NAME,
    JOURNAL_FOLDER,
    LOG_NAME,
    MODEL_NAME,
    SCENARIO_NAME,
)
from simulation.engines.processes.descriptors import ensure_available
from simulation.engines.processes.engine import ProcessEngine, RunFiles, count_descriptors
from simulation.engines.processes.server import start_server
from simulation.engines.result import EngineResult
from simulation.engines.virtual.engine import PartyError, VirtualEngine
from simulation.foundation.code_version import compute_code_version
from simulation.foundation.cost_meter import MIB, Meter
from simulation.foundation.interruption import EXIT_BASE, Interruption
from simulation.foundation.units import NANOSECONDS
from simulation.runs.live_view import LiveView, print_summary
from simulation.records.record import DEBUG, INFO, WARNING, Record, Value
from simulation.records.tally import Tally
from simulation.records.writing import RecordWriter
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import EMPLOYER, World, build_world
from simulation.runs.summary import Summary, build_summary, write_summary
from simulation.training.datasets import ImageSet, load_images
from simulation.training.weight_store import WeightStore


FINISHED: Final = ("complete", "delivered")
"""Endings in which the employer has its model."""


class FolderError(Exception):
    """The run's folder cannot be made or written; the text says why."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run came to."""

    folder: Path
    summary: Summary
    exit_code: int
    """0 delivered, 1 not delivered, 128 + n ended by signal n."""


def run_scenario(
    scenario: Scenario,
    out: Path,
    *,
    console: Console,
    log_beside: Path | None,
    interruption: Interruption,
    images: ImageSet | None = None,
) -> RunOutcome:
    """Run a scenario and leave its folder behind.

    Args:
        scenario: What to run.
        out: Folder that the run's own folder is made in.
        console: Where the user looks.
        log_beside: Where a second ``pot_sim.log`` goes; None for none.
        interruption: Notes the user's wish to end.
        images: The scenario's data set, by one who runs many scenarios; None to load it.

    Raises:
        DatasetError: The data set the scenario insists on cannot be had.
        FolderError: The run's folder cannot be made.
        TooFewDescriptorsError: The system does not allow enough pipes.
    """
    with console.status(f"{scenario.name}: loading TensorFlow and {scenario.dataset.name}"):
        meter = Meter(start_server() if scenario.engine == "processes" else None)
        if images is None:
            images = load_images(scenario.dataset.name, scenario.dataset.path, is_required=scenario.dataset.required)
        world = build_world(scenario, images.name, images.compute_digest())
        scenario = world.scenario
    if scenario.engine == "processes":
        ensure_available(count_descriptors(world))
    interruption.is_orderly = True
    folder = _make_folder(out, scenario)
    (folder / SCENARIO_NAME).write_text(scenario.to_yaml(), "utf-8")
    run = _Run(world, images, folder, meter, interruption)
    return run.execute(console, log_beside)


def _make_folder(out: Path, scenario: Scenario) -> Path:
    """Return a new folder; a run never writes into an earlier one's."""
    base = f"{scenario.name}-{scenario.compute_fingerprint(compute_code_version())}"
    number = 1
    while True:
        folder = out / (base if number == 1 else f"{base}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                raise FolderError(f"{folder}: a file is in the way; choose another --out") from None
            number += 1
        except OSError as error:
            raise FolderError(f"{folder}: cannot be made: {error.strerror}; choose another --out") from None
        else:
            return folder


class _Run:
    """The parts of a run in progress."""

    def __init__(self, world: World, images: ImageSet, folder: Path, meter: Meter, interruption: Interruption) -> None:
        self._world = world
        self._images = images
        self._folder = folder
        self._meter = meter
        self._interruption = interruption
        self._tally = Tally()
        self._watch = Watch(
            world.get_honest(), self._tally, must_agree=must_agree(world.scenario), is_exact=is_exact(world.scenario)
        )
        self._start = time.monotonic_ns()
        self._virtual: VirtualEngine | None = None
        self._broken: str | None = None

    def execute(self, console: Console, log_beside: Path | None) -> RunOutcome:
        scenario = self._world.scenario
        writer = RecordWriter(
            self._folder,
            log_beside=log_beside,
            to_console=not console.is_terminal,
            is_repeatable=scenario.engine == "virtual",
        )

        def sink(record: Record) -> None:
            self._tally.add(record)
            if writer.write(record):
                self._watch.add(record)

        try:
            self._open(sink)
            title = f"{scenario.name} (seed {scenario.seed})"
            is_counted = scenario.output.records != "all"
            with LiveView(console, self._tally, title, scenario.job.stages, is_counted=is_counted) as view:
                result = self._run_engine(sink, view.update)
        except PartyError as error:
            again = shlex.join(["python", "main.py", "run", str(self._folder / SCENARIO_NAME)])
            raise PartyError(f"{error}; see it again: {again}") from error.__cause__
        else:
            summary = self._finish(result, sink)
        finally:
            writer.close()
        _draw_pictures(self._folder, scenario)
        files = (SCENARIO_NAME, LOG_NAME, EVENTS_NAME, CHAIN_NAME, MODEL_NAME)
        write_summary(self._folder, summary, files)
        with suppress(OSError, SystemExit):  # whoever read our output may have had enough
            print_summary(console, self._tally, summary, str(self._folder))
        return RunOutcome(self._folder, summary, self._find_exit_code(result))

    def _run_engine(self, sink: Callable[[Record], None], on_tick: Callable[[str], None]) -> EngineResult:
        with tempfile.TemporaryDirectory(prefix="pot-sim-", ignore_cleanup_errors=True) as shared:
            weights = Path(shared, "weights")
            weights.mkdir()
            if self._world.scenario.engine == "virtual":
                return self._run_virtual(weights, sink, on_tick)
            return self._run_processes(Path(shared, "data"), weights, sink, on_tick)

    def _run_processes(
        self, data: Path, weights: Path, sink: Callable[[Record], None], on_tick: Callable[[str], None]
    ) -> EngineResult:
        data.mkdir()
        self._images.save(data)
        files = RunFiles(
            journal_folder=self._make_journal_folder(),
            dataset_folder=data,
            dataset_name=self._images.name,
            weights_folder=weights,
            model_path=self._folder / MODEL_NAME,
        )
        engine = ProcessEngine(
            self._world,
            files,
            self._meter,
            self._interruption,
            run_start=self._start,
            tally=self._tally,
            sink=sink,
            on_tick=on_tick,
        )
        return engine.run()

    def _run_virtual(
        self, weights: Path, sink: Callable[[Record], None], on_tick: Callable[[str], None]
    ) -> EngineResult:
        def tick(phase: str) -> None:
            self._meter.sample(())
            on_tick(phase)

        self._virtual = VirtualEngine(
            self._world,
            self._images,
            WeightStore(weights),
            self._folder / MODEL_NAME,
            self._interruption,
            journal_folder=self._make_journal_folder(),
            sink=sink,
            on_tick=tick,
        )
        return self._virtual.run()

    def _make_journal_folder(self) -> Path | None:
        if not self._world.scenario.output.journal:
            return None
        folder = self._folder / JOURNAL_FOLDER
        folder.mkdir()
        return folder

    def _open(self, sink: Callable[[Record], None]) -> None:
        scenario = self._world.scenario
        fields: dict[str, Value] = {
            "scenario": scenario.name,
            "seed": scenario.seed,
            "engine": scenario.engine,
            "fingerprint": scenario.compute_fingerprint(compute_code_version()),
            "code_version": compute_code_version(),
            "dataset": self._images.name,
            "dataset_source": self._images.source,
            "dataset_digest": self._world.genesis.job.dataset_digest.hex(),
            "samples": len(self._images.y_train),
            "stages": scenario.job.stages,
            "samples_per_stage": scenario.job.steps_per_stage * scenario.job.batch_size,
        }
        self._record(sink, INFO, "run", fields)
        self._record(sink, INFO, "date", {"local": time.strftime("%Y-%m-%dT%H:%M:%S%z")})
        if self._images.name != scenario.dataset.name:
            fallback: dict[str, Value] = {"wanted": scenario.dataset.name, "used": self._images.name}
            hint = "MNIST could not be had: set POT_MNIST to an mnist.npz; figures are those of another data set"
            self._record(sink, WARNING, "fallback", {**fallback, "hint": hint})
        for node in self._world.nodes:
            described: dict[str, Value] = {"population": node.population, "role": node.role, "stake": node.stake}
            if node.poison:
                described |= {"poison": node.poison.kind, "share": node.poison.share}
            self._record(sink, DEBUG, "node", described, node.label)

    def _finish(self, result: EngineResult, sink: Callable[[Record], None]) -> Summary:
        blocks = self._pick_chain(result)
        write_chain(self._folder / CHAIN_NAME, self._world.genesis, blocks)
        cost: dict[str, Value] = {
            "wall_s": round(self._meter.get_wall_s(), 3),
            "cpu_s": round(self._meter.get_cpu_s(), 3),
            "memory_pss_mb_max": round(self._meter.pss_max / MIB, 1),
        }
        self._record(sink, INFO, "cost", cost)
        self._broken = find_broken(self._world, self._tally, result.chains, self._watch) or find_standstill(
            self._world.scenario, self._tally, result.reason
        )
        if self._broken is not None:
            self._record(sink, WARNING, "broken", {"invariant": self._broken})
        level = INFO if result.reason in FINISHED else WARNING
        self._record(sink, level, "ended", {"reason": result.reason})
        summary = build_summary(self._world, self._tally, blocks, len(self._images.y_train))
        return {**summary, "broken_invariant": self._broken, "events": result.events}

    def _pick_chain(self, result: EngineResult) -> tuple[bytes, ...]:
        """Return the employer's chain; where the employer has crashed, that of most honest nodes."""
        if EMPLOYER in result.chains:
            return result.chains[EMPLOYER]
        best = self._tally.compute_agreement()[1]
        holder = next((label for label, node in self._tally.nodes.items() if node is best), "")
        return result.chains.get(holder, ())

    def _find_exit_code(self, result: EngineResult) -> int:
        if self._interruption.signum is not None:
            return EXIT_BASE + self._interruption.signum
        return 0 if result.reason in FINISHED and self._broken is None else 1

    def _record(
        self,
        sink: Callable[[Record], None],
        level: str,
        event: str,
        fields: dict[str, Value],
        who: str = "run",
    ) -> None:
        sink(Record(self._now(), level, who, event, fields))

    def _now(self) -> float:
        """Return the seconds that a record of the run as a whole carries: simulated ones with the virtual engine."""
        if self._world.scenario.engine == "virtual":
            return self._virtual.queue.now / NANOSECONDS if self._virtual else 0.0
        return (time.monotonic_ns() - self._start) / NANOSECONDS


def _draw_pictures(folder: Path, scenario: Scenario) -> None:
    if scenario.output.pictures:
        from simulation.commands.report.run_pictures import draw_run  # noqa: PLC0415 - loads matplotlib

        draw_run(folder)
