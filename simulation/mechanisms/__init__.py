"""What each consensus mechanism adds outside the core."""
