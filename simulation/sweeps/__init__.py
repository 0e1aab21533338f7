"""Sweeps: one scenario run for every combination of some values, many times, into one tidy table."""
