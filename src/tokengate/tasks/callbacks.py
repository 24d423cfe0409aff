"""Where vendors tell of a job's end: an address for each job, which only its vendor knows.

What they send is not believed, and ends no job: it is looked at at once, and what the vendor then answers counts. So a
call that comes twice, late, or never does no harm. The vendor's own name of a job is taken from it when the answer to
the submission, which had it, was lost.
"""

import hashlib
import hmac
from typing import Final

from tokengate.core.errors import NotFound

PATH: Final = "/v1/callbacks/"

_PURPOSE: Final = b"tokengate: callbacks of vendors"
_TOKEN_CHARS: Final = 40


class Callbacks:
    """Makes addresses and checks them. `base_url` is where vendors reach this platform, empty when they cannot."""

    def __init__(self, master_key: bytes, base_url: str) -> None:
        self._key = hmac.digest(master_key, _PURPOSE, hashlib.sha256)
        self._base_url = base_url.rstrip("/")

    def address(self, job_id: str) -> str:
        """Return the address for a job's vendor; empty when there is none."""
        return f"{self._base_url}{PATH}{job_id}/{self._token(job_id)}" if self._base_url else ""

    def require(self, job_id: str, token: str) -> None:
        """Raise NotFound unless the token is the job's."""
        if not hmac.compare_digest(self._token(job_id).encode(), token.encode("utf-8", "replace")):
            raise NotFound("There is no such callback.")

    def _token(self, job_id: str) -> str:
        signed = job_id.encode("utf-8", "replace")
        return hmac.digest(self._key, signed, hashlib.sha256).hex()[:_TOKEN_CHARS]
