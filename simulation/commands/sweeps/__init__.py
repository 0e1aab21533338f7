"""A scenario for every combination of values."""
