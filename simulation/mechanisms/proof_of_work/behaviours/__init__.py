"""Behaviours that only make sense where blocks are earned by work."""
