"""Attacks that make sense under votes of stake alone."""
