"""Models that run in this process, each behind the same Transport protocol as a network upstream."""
