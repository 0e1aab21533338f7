"""One run from a scenario to its folder."""

import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console

from simulation.analysis import describe_finality
from simulation.engines import Engine, EngineFactory, EngineResult, EngineSetup, Holdings, PartyError, find_engine
from simulation.foundation import (
    EXIT_BASE,
    MIB,
    Interruption,
    Meter,
    complain,
    ensure_available,
    find_part,
    guard_plugins,
)
from simulation.records import (
    CERTIFICATE_NAME,
    CHAIN_NAME,
    MODEL_NAME,
    SCENARIO_NAME,
    Broken,
    Cost,
    Dated,
    Ended,
    Fact,
    Fallback,
    Record,
    RecordWriter,
    Tally,
)
from simulation.runs.certificates import find_certificates
from simulation.runs.chain_file import write_chain
from simulation.runs.closing_tables import print_summary
from simulation.runs.detail import SHOWN, Detail
from simulation.runs.folder import make_folder, make_journal_folder
from simulation.runs.live_view import LiveView
from simulation.runs.mechanism_view import find_view
from simulation.runs.observer import RunObserver
from simulation.runs.opening import describe_nodes, describe_opening, describe_rules, find_idle_poisons
from simulation.runs.summary import Summary, build_summary, write_summary
from simulation.scenario import Scenario, put_plugins_in_force
from simulation.scenario.world import EMPLOYER, World, build_world
from simulation.training import DIGITS, NO_DATA, ImageSet, find_data_set

MAX_REASON: Final = 100
"""Characters that a sentence shows of what a library says."""

FINISHED: Final = ("complete", "delivered")
"""Endings in which the employer has its model."""


class Follower(Protocol):
    """A program that follows a run from inside: all is called by the thread that runs it, which waits for it."""

    @property
    def take_holdings(self) -> Callable[[Holdings], None] | None:
        """What takes what accounts have, each time that the employer's head has changed; None for nothing."""

    def take(self, record: Record) -> None:
        """Take a record, which has been counted and written."""

    def tick(self, phase: str, tally: Tally) -> None:
        """Hear, now and then, what the engine is doing, and what the records so far add up to."""


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
    draw: Callable[[Path], object] | None = None,
    detail: Detail = Detail.PROGRESS,
    follow: Follower | None = None,
) -> RunOutcome:
    """Run a scenario and leave its folder behind.

    Args:
        scenario: What to run.
        out: Folder that the run's own folder is made in.
        console: Where the user looks.
        log_beside: Where a second ``pot_sim.log`` goes; None for none.
        interruption: Notes the user's wish to end.
        images: The scenario's data set, by one who runs many scenarios; None to load it.
        draw: Draws the run's pictures into its folder, where the scenario wants any; called when all is recorded.
        detail: How much is shown on the console.
        follow: A program that is told what happens meanwhile; None where only the user looks.

    Raises:
        DatasetError: The data set the scenario insists on cannot be had.
        EngineStartError: A setting of this machine does not let the engine start.
        FolderError: The run's folder cannot be made.
        PartyError: A party's own code failed.
        ScenarioError: The scenario does not fit its data, or a plug-in's part of it cannot be repeated.
        PluginError: The code of a plug-in failed outside of parties.
        TooFewDescriptorsError: The system does not allow enough pipes.
    """
    put_plugins_in_force(scenario.plugins)
    factory = find_engine(scenario.engine)
    data = Path(scenario.dataset.path).name if scenario.dataset.path else scenario.dataset.name
    what = f"TensorFlow and {data}" if scenario.is_training else "what it needs"
    try:
        with (
            nullcontext() if detail is Detail.QUIET else console.status(f"{scenario.name}: loading {what}"),
            guard_plugins(scenario.run.time_limit_s, "run.time_limit_s"),
        ):
            meter = Meter(factory.prepare(scenario.mechanism.name))
            if images is None:
                load: Callable[[Scenario], ImageSet] | None = find_part(scenario.mechanism.name, "data")
                images = load(scenario) if load is not None else NO_DATA
            digest = images.compute_digest()
            world = build_world(scenario, images.name, digest, images.form)
        idle = find_idle_poisons(world, images)
        ensure_available(factory.descriptors_needed(world))
        interruption.is_orderly = True
        folder = make_folder(out, world.scenario)
    except BaseException:
        factory.abandon()
        raise
    run = _Run(
        world,
        images,
        folder,
        digest=digest,
        idle=idle,
        meter=meter,
        interruption=interruption,
        detail=detail,
        follow=follow,
    )
    summary, exit_code = run.execute(factory, console, log_beside, draw if world.scenario.output.pictures else None)
    return RunOutcome(run.folder, summary, exit_code)


class _Run:
    """The parts of a run in progress."""

    def __init__(
        self,
        world: World,
        images: ImageSet,
        folder: Path,
        *,
        digest: bytes,
        idle: Sequence[tuple[str, Fact]],
        meter: Meter,
        interruption: Interruption,
        detail: Detail,
        follow: Follower | None,
    ) -> None:
        self._detail = detail
        self._follow = follow
        self.folder = folder
        self._world = world
        self._images = images
        self._digest = digest
        self._idle = idle
        self._meter = meter
        self._interruption = interruption
        self._observer = RunObserver(world)
        self._start = time.monotonic_ns()

    def execute(
        self, factory: EngineFactory, console: Console, log_beside: Path | None, draw: Callable[[Path], object] | None
    ) -> tuple[Summary, int]:
        """Run to the end; return the summary, which is written and printed, and the exit code."""
        scenario, tally = self._world.scenario, self._observer.tally
        is_live = console.is_terminal and self._detail is Detail.PROGRESS
        writer = RecordWriter(
            self.folder,
            log_beside=log_beside,
            shows=None if is_live else SHOWN[self._detail],
            is_repeatable=scenario.traits.is_repeatable,
        )

        count, watch = tally.add, self._observer.monitor.add
        tell = self._follow.take if self._follow is not None else None

        def sink(record: Record) -> None:
            count(record)
            if writer.write(record):
                watch(record)
            if tell is not None:
                tell(record)

        title = f"{scenario.name} (seed {scenario.seed})"
        is_counted = scenario.output.records != "all"
        shown = find_view(scenario.mechanism.name)
        view = LiveView(
            console, tally, title, scenario.length, mechanism=shown, is_counted=is_counted, is_shown=is_live
        )

        def tick(phase: str) -> None:
            view.update(phase)
            if self._follow is not None:
                self._follow.tick(phase, tally)

        try:
            with tempfile.TemporaryDirectory(prefix="pot-sim-", ignore_cleanup_errors=True) as scratch:
                engine = factory.build(self._build_setup(Path(scratch), sink, tick))
                note = _Notebook(engine, sink)
                self._open(note)
                with view:
                    tick("starting")
                    result = engine.run()
        except PartyError as error:
            again = shlex.join(["python", "main.py", "run", str(self.folder / SCENARIO_NAME)])
            raise PartyError(f"{error}; see it again: {again}", error.events) from error.__cause__
        else:
            with guard_plugins(scenario.run.time_limit_s, "run.time_limit_s"):
                summary = self._finish(result, note)
        finally:
            writer.close()
        write_summary(self.folder, summary)
        if draw is not None:
            self._draw(draw, summary)
        if self._detail is Detail.QUIET:
            for warning in shown.list_warnings(tally):
                complain(f"{self.folder}: warning: {warning}")
        with suppress(OSError, SystemExit):  # whoever read our output may have had enough
            if self._detail is Detail.QUIET:
                console.print(str(self.folder), soft_wrap=True, highlight=False, markup=False)
            else:
                rules = describe_rules(scenario)
                print_summary(console, tally, summary, view=shown, rules=rules, folder=str(self.folder))
        return summary, self._find_exit_code(summary)

    def _draw(self, draw: Callable[[Path], object], summary: Summary) -> None:
        """Draw what the user wants to see, and list it; a run is whole without it."""
        try:
            draw(self.folder)
        except Exception as error:  # noqa: BLE001 - a library that cannot draw here raises whatever it stumbles over
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            why = " ".join(said.split())[:MAX_REASON] or type(error).__name__
            again = shlex.join(["python", "main.py", "report", str(self.folder)])
            complain(f"{self.folder}: no pictures: {why}; all else is there, and this draws them: {again}")
        finally:
            write_summary(self.folder, summary)

    def _build_setup(
        self, scratch: Path, sink: Callable[[Record], None], on_tick: Callable[[str], None]
    ) -> EngineSetup:
        weights_folder = scratch / "weights"
        weights_folder.mkdir()
        return EngineSetup(
            world=self._world,
            images=self._images,
            scratch=scratch,
            weights_folder=weights_folder,
            model_path=self.folder / MODEL_NAME,
            journal_folder=make_journal_folder(self.folder, self._world.scenario),
            interruption=self._interruption,
            started_at=self._start,
            tally=self._observer.tally,
            sink=sink,
            on_tick=on_tick,
            sample=self._meter.sample,
            is_stuck=self._observer.is_stuck,
            on_holdings=self._follow.take_holdings if self._follow is not None else None,
        )

    def _open(self, note: "_Notebook") -> None:
        scenario = self._world.scenario
        note.write(describe_opening(scenario, self._images, self._digest))
        note.write(Dated(time.strftime("%Y-%m-%dT%H:%M:%S%z")))
        if scenario.is_training and self._images.name == DIGITS != scenario.dataset.name:
            wanted = find_data_set(scenario.dataset.name)
            hint = f"{wanted.title} could not be had: {wanted.remedy}; figures are those of another data set"
            note.write(Fallback(wanted=scenario.dataset.name, used=self._images.name, hint=hint))
        for label, described in describe_nodes(self._world):
            note.write(described, who=label)
        for label, fact in self._idle:
            note.write(fact, who=label)

    def _finish(self, result: EngineResult, note: "_Notebook") -> Summary:
        blocks = self._pick_chain(result)
        mechanism = self._world.mechanism
        write_chain(self.folder / CHAIN_NAME, mechanism, blocks)
        find_certificates(mechanism.name).write(self.folder / CERTIFICATE_NAME, mechanism, blocks)
        cost = Cost(
            wall_s=round(self._meter.get_wall_s(), 3),
            cpu_s=round(self._meter.get_cpu_s(), 3),
            memory_pss_mb_max=round(self._meter.pss_max / MIB, 1),
        )
        note.write(cost)
        broken = self._observer.find_fault(result)
        if broken is not None:
            note.write(Broken(broken))
        twice = describe_finality(self._observer.tally, mechanism.final_depth)
        if twice is not None:
            note.write(twice)
        level = Ended.level if result.reason in FINISHED else Ended.undelivered
        obstacle = result.obstacle or self._observer.find_obstacle(result.reason, blocks)
        note.write(Ended(result.reason, events=result.events, obstacle=obstacle), level)
        summary = build_summary(self._world, self._observer.tally, blocks, len(self._images.y_train))
        return {**summary, "broken_invariant": broken, "events": result.events}

    def _pick_chain(self, result: EngineResult) -> tuple[bytes, ...]:
        """Return the employer's chain; where the employer has crashed, that of most honest nodes."""
        if EMPLOYER in result.chains:
            return result.chains[EMPLOYER]
        tally = self._observer.tally
        best = tally.compute_agreement()[1]
        holder = next((label for label, node in tally.nodes.items() if node is best), "")
        return result.chains.get(holder, ())

    def _find_exit_code(self, summary: Summary) -> int:
        if self._interruption.signum is not None:
            return EXIT_BASE + self._interruption.signum
        return 0 if summary["ended"] in FINISHED and summary["broken_invariant"] is None else 1


class _Notebook:
    """Writes what happens to the run as a whole."""

    def __init__(self, engine: Engine, sink: Callable[[Record], None]) -> None:
        self._engine = engine
        self._sink = sink

    def write(self, fact: Fact, level: str | None = None, who: str = "run") -> None:
        """Write a record with the time that the engine's records have."""
        self._sink(Record(self._engine.now(), level or fact.level, who, fact))
