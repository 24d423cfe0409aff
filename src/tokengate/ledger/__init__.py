"""Wallets and the journal: money comes in, is held in memory, is settled once, and always adds up."""
