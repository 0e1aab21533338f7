"""Everything with a clock, a process, a file or a screen. `simulation.cli` is the entrance."""
