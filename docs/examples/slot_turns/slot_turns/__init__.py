"""Owners of a bond take turns by slot: a mechanism, its key, and an attacker."""
