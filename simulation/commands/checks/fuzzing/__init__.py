"""A node under fire from mutated frames."""
