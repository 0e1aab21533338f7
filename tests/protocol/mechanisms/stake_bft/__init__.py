"""Tests of the mechanism by votes of stake."""
