"""Behaviours that stand between a node's inputs and its core.

They see only what such a node could see. `protocol` does not know that they exist.
"""
