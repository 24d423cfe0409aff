"""Files that callers bring, with owners and an end."""
