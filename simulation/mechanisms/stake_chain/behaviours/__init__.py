"""Attacks that make sense only where blocks are made by stake."""

__all__: list[str] = []
