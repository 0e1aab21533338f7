"""Each party as an operating-system process, each link as a pipe."""
