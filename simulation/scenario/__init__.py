"""What a user may write, and the scenario it stands for."""
