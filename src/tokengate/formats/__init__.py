"""Wire formats: bytes to what the gateway must know of them, and back; pure."""
