"""Encrypts what is confidential at rest: AES-256-GCM under the master key, bound to the place where it is kept.

A sealed value is a version byte, a random 96-bit nonce, and the ciphertext with its tag.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32

_VERSION = b"\x01"
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _NONCE_BYTES


class Unsealable(Exception):
    """The value was sealed under another key or for another place, or was altered since."""


class Sealer:
    """Seals and opens with one key. What was sealed for one `context` does not open for another."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES
        self._cipher = AESGCM(key)

    def seal(self, data: bytes, context: bytes) -> bytes:
        """Return `data` encrypted; twice the same data is sealed differently."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, data, _VERSION + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed. Raises Unsealable."""
        if sealed[:1] != _VERSION or len(sealed) <= _HEADER_BYTES:
            raise Unsealable("the value has no header that this version knows")
        nonce = sealed[len(_VERSION) : _HEADER_BYTES]
        try:
            return self._cipher.decrypt(nonce, sealed[_HEADER_BYTES:], _VERSION + context)
        except InvalidTag:
            raise Unsealable("the value was sealed under another key or for another place, or was altered") from None
