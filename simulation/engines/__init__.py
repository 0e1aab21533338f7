"""Ways to run the same parties."""
