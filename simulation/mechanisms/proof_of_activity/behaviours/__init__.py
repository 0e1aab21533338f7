"""Behaviours that only make sense where owners are drawn to sign what was mined."""
