"""What was used: one record per call, sums per day, and how long the records are kept."""
