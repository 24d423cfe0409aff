"""Connections between two requests, at hand for the next one to the same place.

The connector has a pool too, but its books cost a tenth of a call's time. It gets what nobody took for a while, and
everything when somebody waits for a connection: idle ones must not count against its limit then.
"""

import asyncio

from aiohttp.connector import Connection

_AT_HAND_S = 15.0  # after this at most, the connector has an idle connection, and closes it at its own time


class IdleConnections:
    """Those of one transport. A place is a number for what may share connections."""

    def __init__(self) -> None:
        self._places: dict[int, list[Connection]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0  # requests that wait for a connection of the connector

    def take(self, place: int) -> Connection | None:
        """Return the one that was used last and still stands; None when there is none."""
        connections = self._places.get(place)
        while connections:
            connection = connections.pop()
            if not connection.closed:
                return connection
            connection.close()
        return None

    def keep(self, place: int, connection: Connection) -> None:
        """Take back a connection whose reply has been read to its end."""
        protocol = connection.protocol
        if self.waiting or protocol is None or protocol.should_close:
            connection.release()
            return
        self._places.setdefault(place, []).append(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_AT_HAND_S, self.let_go)

    def let_go(self) -> None:
        """Hand all of them to the connector."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connections in self._places.values():
            while connections:
                connections.pop().release()
