"""Where prices meet money: what to hold for a call, and what it came to."""
