"""Doors to memory: everything that outlives a packet."""
