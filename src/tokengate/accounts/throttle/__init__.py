"""How long somebody must wait after failed sign-ins: longer with each failure, per account and per address.

A few failures are free. The counts are in the database, so that neither a restart nor another process forgives them;
an hour or so without a failure does.
"""

ACCOUNT_FREE = 5
ADDRESS_FREE = 20  # many people may share one
FORGOTTEN_MS = 2 * 3_600_000

_FIRST_WAIT_MS = 1_000
_LONGEST_WAIT_MS = 900_000


def wait_ms(failures: int, free: int) -> int:
    """Return how long nothing is tried after so many failures in a row."""
    if failures < free:
        return 0
    return min(_FIRST_WAIT_MS << min(failures - free, 20), _LONGEST_WAIT_MS)
