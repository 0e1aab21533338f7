"""The pure core: what a party decides, by whatever mechanism; start with `participant.py` and `mechanism.py`."""
