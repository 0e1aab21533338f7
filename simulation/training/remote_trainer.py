"""A trainer that works in another arithmetic than this machine's own.

TensorFlow takes its kernels when it is loaded, so another profile needs a process of its own.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation import SPAWN, PluginSource, list_sources, use_plugins
from simulation.training.profiles import VARIABLES
from simulation.training.samples import TrainingSet, Weights
from simulation.training.trainer import StageOutcome


class RemoteTrainer:
    """A `simulation.training.keras_trainer.KerasTrainer` in a process with another environment."""

    def __init__(self, job: TrainingJob, samples: TrainingSet, arithmetic: str, *, xla: bool, steps: int) -> None:
        """Start the process; it ends with this one, or with `close`."""
        self._connection, theirs = SPAWN.Pipe()
        arguments = (theirs, list_sources(), job, samples, (xla, steps))
        self._process = SPAWN.Process(target=_serve, args=arguments, daemon=True, name=f"trainer-{arithmetic}")
        with _environment(VARIABLES[arithmetic]):
            self._process.start()
        theirs.close()

    def train(self, stage: int, base: Weights | None = None) -> StageOutcome:
        """Return the outcome of a stage.

        Args:
            stage: Number of the stage.
            base: Weights to start from; None for its own after the stage before.

        Raises:
            RuntimeError: Training failed in the other process.
        """
        try:
            self._connection.send((stage, base))
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise RuntimeError(f"{self._process.name} has ended") from error
        if isinstance(answer, StageOutcome):
            return answer
        raise RuntimeError(f"{self._process.name} failed: {answer}")

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._connection.close()
        self._process.join()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(
    connection: Connection,
    plugins: tuple[PluginSource, ...],
    job: TrainingJob,
    samples: TrainingSet,
    settings: tuple[bool, int],
) -> None:
    """Train the stages asked for until the connection ends."""
    from simulation.training.keras_trainer import KerasTrainer, use_one_thread  # noqa: PLC0415 - in this process only

    use_plugins(plugins)
    use_one_thread()
    xla, steps = settings
    trainer = KerasTrainer(job, samples, xla=xla, steps=steps)
    while True:
        try:
            stage, base = connection.recv()
        except (EOFError, OSError):
            return
        try:
            connection.send(trainer.train(stage, base))
        except Exception as error:  # noqa: BLE001 - across a process boundary, failure is data
            connection.send(f"{type(error).__name__}: {error}")
