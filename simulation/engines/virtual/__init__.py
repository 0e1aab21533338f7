"""All parties in one process and in simulated time."""
