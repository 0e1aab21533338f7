"""Entrance: ``python main.py`` runs the default scenario; ``python main.py --help`` lists the rest."""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command looks after it, Ctrl-C just ends the program
    from simulation.commands import main

    sys.exit(main())
