"""Passwords: argon2id, computed beside the event loop and only a few at a time, because each takes memory and tens of
milliseconds.
"""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from tokengate.core.errors import BadRequest

MIN_CHARS = 10
MAX_CHARS = 256  # argon2 takes any length; a limit keeps a request from choosing how long it takes

# OWASP's first choice for argon2id (Password Storage Cheat Sheet, 2026): 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)

_AT_ONCE = 2


class Passwords:
    """Makes and checks hashes. One for the process: it bounds how many are computed at once."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._decoy = ""

    async def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        async with self._turns:
            return await asyncio.to_thread(_hasher.hash, password)

    async def matches(self, password_hash: str, password: str) -> bool:
        """Return whether this is the password. Without a hash it takes as long and is False, so that nobody learns
        from the time whether an account exists."""
        if not password_hash and not self._decoy:
            self._decoy = await self.hash("decoy")
        async with self._turns:
            right = await asyncio.to_thread(_matches, password_hash or self._decoy, password)
        return right and bool(password_hash)


def check_new_password(password: str) -> None:
    """Raise BadRequest when a password is too short or too long to be taken."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise BadRequest(
            f"A password needs {MIN_CHARS} to {MAX_CHARS} characters.", param="password", code="bad_password"
        )


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
