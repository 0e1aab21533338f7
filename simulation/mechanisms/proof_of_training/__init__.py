"""What proof of training adds outside the core."""
