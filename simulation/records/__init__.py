"""What happened: facts as records, written, read back and counted."""
