"""Pictures and one page, from logs and tables alone."""
