"""Slows down whoever tries codes that do not exist: so many wrong ones per hour, for a person and for an org.

In the memory of each process: a restart, or another process, forgives a handful of guesses among 2^94 codes.
"""

from collections import OrderedDict, deque

from tokengate.core.errors import RateLimited

MOST = 10  # wrong codes
WITHIN_MS = 3_600_000

_MAX_REMEMBERED = 10_000  # people and orgs; the one whose last guess is the oldest is forgotten first


class Guesses:
    """The wrong codes of the last hour. Who guesses is any number of names: all of them count, each is limited."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[int]] = OrderedDict()

    def check(self, who: tuple[str, ...], now_ms: int) -> None:
        """Raise RateLimited when one of them has guessed too often."""
        for name in who:
            times = self._wrong.get(name)
            if times is None:
                continue
            while times and times[0] <= now_ms - WITHIN_MS:
                times.popleft()
            if len(times) >= MOST:
                wait_s = (times[0] + WITHIN_MS - now_ms + 999) // 1000
                raise RateLimited(
                    f"Too many wrong codes; try again in {-(-wait_s // 60)} minutes.",
                    retry_after_s=wait_s,
                    code="too_many_codes",
                )

    def note(self, who: tuple[str, ...], now_ms: int) -> None:
        """Remember a wrong code."""
        for name in who:
            self._wrong.setdefault(name, deque(maxlen=MOST)).append(now_ms)
            self._wrong.move_to_end(name)
        while len(self._wrong) > _MAX_REMEMBERED:
            self._wrong.popitem(last=False)
