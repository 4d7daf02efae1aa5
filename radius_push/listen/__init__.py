"""The doors that packets come in by."""
