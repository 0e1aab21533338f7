"""Who takes part in a scenario: labels, keys, stakes, links, genesis, transfers."""
