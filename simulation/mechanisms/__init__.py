"""What each consensus mechanism adds outside the core."""

__all__: list[str] = []
