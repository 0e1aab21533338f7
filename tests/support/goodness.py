"""How well figures fit a law; the study of these laws judges its figures by the same tests."""

from benchmarks.goodness import find_distance, fits, follow_exponential, follow_geometric, has_shares

__all__ = ["find_distance", "fits", "follow_exponential", "follow_geometric", "has_shares"]
