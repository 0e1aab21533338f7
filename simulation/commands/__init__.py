"""What a user can ask for: a room for each larger command, and the command line."""
