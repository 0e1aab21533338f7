"""Tests of what votes of stake add outside the core."""
