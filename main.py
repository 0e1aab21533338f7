"""Entrance: ``python main.py`` runs the default scenario; ``python main.py --help`` lists the rest."""

import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command looks after it, Ctrl-C just ends the program
    from simulation.commands import main

    code = main()
    try:
        sys.stdout.flush()
    except OSError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
