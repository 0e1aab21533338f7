"""Behaviours that stand between a node's inputs and its core; they see only what such a node could see."""
