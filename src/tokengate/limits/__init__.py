"""How much a key may ask for: rate, token, concurrency and spend limits, in memory."""
