"""Entrance: ``python main.py`` runs the default scenario; ``python main.py --help`` lists the rest."""

import sys

if __name__ == "__main__":
    from simulation.cli import main

    sys.exit(main())
