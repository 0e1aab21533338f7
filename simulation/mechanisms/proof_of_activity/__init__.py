"""What proof of activity adds outside the core."""

__all__: list[str] = []
