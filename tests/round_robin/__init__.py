"""A mechanism from outside the package; `tests.round_robin.parts.register` makes it known."""
