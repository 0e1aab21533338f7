"""What votes of stake add outside the core."""

__all__: list[str] = []
