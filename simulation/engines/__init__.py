"""Ways to run the same parties. `processes` gives each one an operating-system process."""
