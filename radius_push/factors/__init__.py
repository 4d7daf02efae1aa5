"""The rules of the second factor: what a phone is asked, what its answer must say, how often it may ring."""
