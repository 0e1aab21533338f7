"""What each consensus mechanism adds to a simulation, a package a mechanism."""
