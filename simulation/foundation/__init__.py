"""What every other room stands on: owners of random draws, the wish to end, cost, the version of the code."""
