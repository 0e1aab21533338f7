"""Figures: `python -m benchmarks` prints what the README quotes. Nothing here passes or fails on a time."""
