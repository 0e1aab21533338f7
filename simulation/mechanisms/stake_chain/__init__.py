"""What chain-based proof of stake adds outside the core."""

__all__: list[str] = []
