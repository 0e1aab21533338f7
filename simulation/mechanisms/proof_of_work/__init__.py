"""What proof of work adds outside the core."""

__all__: list[str] = []
