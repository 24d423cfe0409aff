"""Links to results: whoever has one may read that one file until a time, without a key.

A link carries its end and a signature (HMAC-SHA256) under a key that is derived from the master key.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import parse_qs

from tokengate.core.clock import Clock
from tokengate.core.errors import Forbidden

PATH: Final = "/v1/results/"

_PURPOSE: Final = b"tokengate: links to results"
_MAX_DIGITS: Final = 12


class Links:
    """Signs and checks. The key is that of all gateways with the same master key."""

    def __init__(self, master_key: bytes, clock: Clock) -> None:
        self._key = hmac.digest(master_key, _PURPOSE, hashlib.sha256)
        self._clock = clock

    def sign(self, job_id: str, name: str, until_s: int) -> str:
        """Return the path and query of a link that is good until `until_s`, in seconds since the epoch."""
        signature = self._signature(f"{job_id}/{name}", str(until_s))
        return f"{PATH}{job_id}/{name}?expires={until_s}&signature={signature}"

    def require_signed(self, job_id: str, name: str, query: str) -> None:
        """Raise Forbidden unless the query was signed here for this result and its time is not over."""
        given = parse_qs(query)
        expires = "".join(given.get("expires", []))
        signature = "".join(given.get("signature", []))
        expected = self._signature(f"{job_id}/{name}", expires)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise Forbidden("The link is not one that was signed here for this file.", code="link_invalid")
        assert expires.isdigit() and len(expires) <= _MAX_DIGITS, "what was signed here is a time"
        if int(expires) <= self._clock.now_s():
            raise Forbidden("The link has expired; ask for the job again to get a new one.", code="link_expired")

    def _signature(self, path: str, expires: str) -> str:
        signed = f"{path}\n{expires}".encode("utf-8", "replace")
        return urlsafe_b64encode(hmac.digest(self._key, signed, hashlib.sha256)).rstrip(b"=").decode()
