"""What proof of training adds to a simulation: its facts, and what is counted of them."""
