"""TokenGate: one key for every model.

A self-hosted gateway in front of model vendors and an organisation's own models, with prices in yuan,
prepaid wallets and a ledger that adds up to the last digit.
"""

__version__ = "0.1.0"
