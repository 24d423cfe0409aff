"""The same idempotency key gives the same reply and one charge."""
