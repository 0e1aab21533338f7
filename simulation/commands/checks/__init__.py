"""Commands that doubt: stored runs, random scenarios, hostile frames."""
