"""Doors for people and phones."""
