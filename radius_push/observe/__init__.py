"""What the server tells the admin: log lines, made from the evidence events."""
