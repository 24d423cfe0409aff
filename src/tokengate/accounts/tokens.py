"""Random texts that prove something (sessions, invitations, admin tokens): shown once, stored as a digest."""

import secrets

from tokengate.accounts.keys import digest_of

ADMIN_PREFIX = "tgadm-"

_TOKEN_BYTES = 32


def new_token(prefix: str = "") -> str:
    """Return a new text of 256 random bits that is safe in a URL and in a cookie."""
    return prefix + secrets.token_urlsafe(_TOKEN_BYTES)


def digest_of_token(token: str) -> bytes:
    """Return the 32 bytes by which a token is known."""
    return digest_of(token)
