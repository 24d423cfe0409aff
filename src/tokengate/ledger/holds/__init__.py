"""What jobs hold of a wallet: money set aside in the database, which outlives the process that set it aside."""
