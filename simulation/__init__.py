"""Everything with a clock, a process, a file or a screen. `simulation.commands.cli` is the entrance."""
