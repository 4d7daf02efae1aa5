"""Doors to people: who somebody is, what is known of them, and whether their password is right."""
