"""The RADIUS wire: packets, duplicates, and what an attribute says. Pure."""
