"""Print all figures: the training stage against Keras, and whole runs against their goals."""

import argparse
import platform

from benchmarks.api import print_api_figures
from benchmarks.explorer import print_explorer_figures
from benchmarks.hashing import print_hashing_figures
from benchmarks.models import print_model_figures
from benchmarks.runs import print_run_figures
from benchmarks.stage import print_stage_figures
from benchmarks.tolerance import print_tolerance_figures
from benchmarks.virtual import print_virtual_figures
from benchmarks.work import print_work_figures

PARTS = ("all", "stage", "runs", "virtual", "work", "hashing", "api", "tolerance", "explorer")


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, default="all")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each scenario; the median is shown")
    chosen = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    if chosen.part in ("all", "stage"):
        print_stage_figures()
        print_model_figures()
    if chosen.part in ("all", "runs"):
        print_run_figures(chosen.repeats)
    if chosen.part in ("all", "virtual"):
        print_virtual_figures()
    if chosen.part in ("all", "work"):
        print_work_figures()
    if chosen.part in ("all", "hashing"):
        print_hashing_figures()
    if chosen.part in ("all", "api"):
        print_api_figures(chosen.repeats)
    if chosen.part == "explorer":  # needs Streamlit
        print_explorer_figures(chosen.repeats)
    if chosen.part == "tolerance":  # minutes, and no figure to stay below
        print_tolerance_figures()


if __name__ == "__main__":
    main()
