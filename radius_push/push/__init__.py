"""Doors to closed phones: a push service is asked to wake them. It learns neither question nor answer."""
