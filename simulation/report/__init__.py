"""Reports: pictures and one page about runs and sweeps, made from their logs and tables alone."""
