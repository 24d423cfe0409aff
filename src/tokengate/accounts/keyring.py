"""Every key in memory: a caller's token is one hash and one look-up away from its principal.

Read anew as a whole whenever another process (or this one) changed a key; the composition root watches for that.
"""

import asyncio

from tokengate.accounts.keys import Principal, digest_of
from tokengate.accounts.store import stream_keys
from tokengate.core.clock import Clock
from tokengate.core.errors import BadKey
from tokengate.storage.engine import Database


class KeyRing:
    """The usable keys, and why the others are not."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._principals: dict[bytes, Principal] = {}
        self._disabled: set[bytes] = set()
        self._refreshing = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many keys are not disabled, for metrics."""
        return len(self._principals)

    async def load(self) -> None:
        """Read all keys, once, before the first `find`."""
        await self.refresh()

    async def refresh(self) -> None:
        """Read all keys again; calls are answered from the old ones until then."""
        async with self._refreshing:  # an older reading must not replace a newer one
            principals: dict[bytes, Principal] = {}
            disabled: set[bytes] = set()
            async with self._database.read() as read:
                async for key in stream_keys(read, int(self._clock.now_s() * 1000)):
                    if key.disabled:
                        disabled.add(key.digest)
                    else:
                        principals[key.digest] = key.principal
            self._principals, self._disabled = principals, disabled

    def holder(self, key_id: str) -> Principal | None:
        """Return who calls with the key of this id, None when it is not usable; looks through all keys."""
        principal = next((one for one in self._principals.values() if one.key_id == key_id), None)
        if principal is None or self._is_over(principal):
            return None
        return principal

    def find(self, token: str) -> Principal:
        """Return who calls with this token. Raises BadKey when it is unknown, disabled or expired."""
        digest = digest_of(token)
        principal = self._principals.get(digest)
        if principal is None:
            if digest in self._disabled:
                raise BadKey("This API key is disabled.")
            raise BadKey()
        if self._is_over(principal):
            raise BadKey("This API key has expired.")
        return principal

    def _is_over(self, principal: Principal) -> bool:
        expires_ms = principal.expires_ms
        return expires_ms is not None and self._clock.now_s() * 1000 >= expires_ms
