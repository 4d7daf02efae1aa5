"""What strangers can send, fuzzed by coverage: `make fuzz` runs it, the fast suite replays what was found."""
