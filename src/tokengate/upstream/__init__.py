"""The network transport: the only user of the HTTP client."""
