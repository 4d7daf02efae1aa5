"""Doors to people beside their phones: what is mailed, and what keeps trying until it is told."""
