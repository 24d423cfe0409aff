"""Connections between two requests, at hand for the next one to the same place.

The connector has a pool too, but its books cost a tenth of a call's time. It gets what nobody took for a while, and
everything when somebody waits for a connection: idle ones must not count against its limit then.
"""

import asyncio

from tokengate.upstream.reader import ReplyReader

_AT_HAND_S = 15.0  # after this at most, the connector has an idle connection, and closes it at its own time


class IdleConnections:
    """Those of one transport. A place is a number for what may share connections."""

    def __init__(self) -> None:
        self._places: dict[int, list[ReplyReader]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0  # requests that wait for a connection of the connector

    def take(self, place: int) -> ReplyReader | None:
        """Return the one that was used last and still stands; None when there is none."""
        readers = self._places.get(place)
        while readers:
            reader = readers.pop()
            if reader.reusable:
                return reader
            reader.release()
        return None

    def keep(self, place: int, reader: ReplyReader) -> None:
        """Take back a connection whose reply has arrived whole."""
        if self.waiting or not reader.reusable:
            reader.release()
            return
        self._places.setdefault(place, []).append(reader)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_AT_HAND_S, self.let_go)

    def let_go(self) -> None:
        """Hand all of them to the connector."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for readers in self._places.values():
            while readers:
                readers.pop().release()
