"""What a user sees of training: the model, who trains, poisoned stages, and what training has cost."""

from collections.abc import Mapping, Sequence

from rich.markup import escape

from simulation.records import Tally
from simulation.runs import Column, MechanismView, Summary
from simulation.scenario import ENGINE_TRAITS


class TrainingView(MechanismView):
    """Shows what only proof of training has."""

    columns = (Column("training", rank=2), Column("stages trained", rank=1))

    def describe_head(self, tally: Tally) -> str:
        """Return the accuracy of the employer's model, or that it is not finite."""
        divergence, evaluation = tally.find_divergence(), tally.training.evaluations.get(tally.employer.head)
        if divergence is not None:
            return f"[red]not finite since stage {divergence}[/]"
        return f"test accuracy {evaluation.accuracy:.1%}" if evaluation else ""

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return how many train, and how many stages they have trained."""
        training = tally.training
        trained = [training.trained[label] for label in labels]
        return str(sum(label in training.stage for label in labels)), f"{min(trained)}-{max(trained)}"

    def list_data(self, summary: Summary) -> dict[str, str]:
        """Return the data set."""
        return {"data set": escape(f"{summary['dataset']['name']} ({summary['dataset']['source']})")}

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return what the model is worth, and how much of it is poisoned."""
        training, attack = summary["training"], summary["attack"]
        accuracy = training["test_accuracy"]
        model = "none" if accuracy is None else f"test accuracy {accuracy:.2%}, coverage {training['coverage']:.2f}"
        return {
            "model": model,
            "poisoned stages": f"{attack['poisoned_stages_honest']} in honest chains, "
            f"{attack['poisoned_stages_employer']} in the employer's"
            + (" [red](deceived)[/]" if attack["employer_deceived"] else ""),
        }

    def list_warnings(self, tally: Tally) -> list[str]:
        """Return that the model is worth nothing, or is in no file, and poisons that have altered nothing."""
        divergence, unsaved = tally.find_divergence(), tally.training.unsaved
        unkept = [f"the model is not kept: {unsaved}"] if unsaved else []
        idle = describe_idle_poisons(tally.training.unpoisoned)
        return [*([] if divergence is None else [describe_divergence(divergence)]), *unkept, *idle]

    def list_costs(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return the CPU-seconds of training, of which those of simulated time are simulated too."""
        cost, is_simulated = summary["cost"], ENGINE_TRAITS[summary["engine"]].is_simulated
        useful, discarded = cost["train_cpu_s_useful"], cost["train_cpu_s_discarded"]
        name = "simulated training" if is_simulated else "training"
        return {name: f"{useful:.1f} CPU-s in the chain, {discarded:.1f} discarded"}


def describe_divergence(stage: int) -> str:
    """Return the warning that a model is worth nothing, in words."""
    return f"the model is not finite since stage {stage} (height {stage + 1}); try a smaller learning_rate"


def describe_idle_poisons(unpoisoned: Mapping[str, str]) -> list[str]:
    """Return a warning for each poison that has altered nothing, in words.

    Args:
        unpoisoned: The poison of each such node.
    """
    warnings = []
    for poison in sorted(set(unpoisoned.values())):
        labels = [label for label, name in unpoisoned.items() if name == poison]
        others = f" and those of {len(labels) - 1} more" if len(labels) > 1 else ""
        warnings.append(f"poison {poison!r} left {labels[0]}'s data{others} as they were; nothing is poisoned there")
    return warnings
