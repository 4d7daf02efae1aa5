"""How somebody proves who they are: the checks and ciphers of the RFCs, as pure functions."""
