"""One rate limit as a leaky bucket (GCRA), in whole numbers.

The bucket holds debt that leaks away at the limit's rate; a charge is admitted when it fits. Chosen over a sliding
window because it needs two integers per limit however high the limit is, tells exactly when the next call will pass,
and lets a caller who waited a second go on, not only one who waited out the minute. Its price: after a quiet minute
a caller may use a full burst and the refill in the following minute. Debt is counted in units of one call (or
token) times the microseconds of a minute, so a leak of `limit` units per microsecond is exact for every limit.
"""

_MINUTE_US = 60_000_000


class Bucket:
    """The debt of one limit. The limit itself comes as an argument: it may change between two calls."""

    __slots__ = ("_at_us", "_debt")

    def __init__(self) -> None:
        self._debt = 0
        self._at_us = 0

    def wait_us(self, amount: int, limit: int, now_us: int) -> int:
        """Return how long until `amount` (at most `limit`) fits; 0 when it fits now."""
        assert amount <= limit
        if now_us > self._at_us:
            self._leak(limit, now_us)
        over = self._debt - (limit - amount) * _MINUTE_US
        return -(-over // limit) if over > 0 else 0

    def charge(self, amount: int, limit: int, now_us: int) -> int:
        """Add to the debt, and return its new height, for which `correct` asks."""
        if now_us > self._at_us:
            self._leak(limit, now_us)
        self._debt += amount * _MINUTE_US
        return self._debt

    def correct(self, charged: int, actual: int, height: int, charged_us: int, limit: int, now_us: int) -> None:
        """Replace an earlier charge by what was really used.

        Of a charge that was too high, only what has not leaked away since is given back, so that a caller does not
        gain twice from the time that the call took.
        """
        if now_us > self._at_us:
            self._leak(limit, now_us)
        change = (actual - charged) * _MINUTE_US
        if change < 0:
            still_there = height - (now_us - charged_us) * limit
            change = max(change, -still_there, -self._debt) if still_there > 0 else 0
        self._debt += change

    def standing(self, limit: int, now_us: int) -> tuple[int, int]:
        """Return how much fits now, and how long until the bucket is empty again."""
        if now_us > self._at_us:
            self._leak(limit, now_us)
        free = limit + -self._debt // _MINUTE_US
        return free if free > 0 else 0, -(-self._debt // limit)

    def reset_us(self, limit: int, now_us: int) -> int:
        """Return how long until the bucket is empty again."""
        if now_us > self._at_us:
            self._leak(limit, now_us)
        return -(-self._debt // limit)

    def _leak(self, limit: int, now_us: int) -> None:
        if self._debt:
            debt = self._debt - (now_us - self._at_us) * limit
            self._debt = debt if debt > 0 else 0
        self._at_us = now_us
