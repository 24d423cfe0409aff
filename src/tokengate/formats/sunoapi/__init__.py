"""Suno's music as sunoapi.org and its resellers sell it: a route for each operation, told of the end by a callback."""
