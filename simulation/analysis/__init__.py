"""What a run shows: figures, the formulas they are held against, and what must hold."""
