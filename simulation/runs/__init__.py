"""One run, from scenario to folder."""
