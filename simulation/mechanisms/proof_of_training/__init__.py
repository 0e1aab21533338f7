"""What proof of training adds outside the core."""

__all__: list[str] = []
