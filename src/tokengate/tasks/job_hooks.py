"""Where the end of a job is told, and with which key the message is signed: each project has one of its own."""

import base64
import hashlib
import hmac
from typing import Final

from tokengate.core.errors import BadRequest
from tokengate.ledger.alerts import SECRET_PREFIX, Destination
from tokengate.storage.engine import Database
from tokengate.tasks import store

MAX_URL_CHARS: Final = 2_000

_PURPOSE: Final = b"tokengate: webhooks of jobs"


class JobHooks:
    """Built once. Secrets are derived from the master key: all gateways with the same one sign alike."""

    def __init__(self, database: Database, master_key: bytes) -> None:
        self._database = database
        self._key = hmac.digest(master_key, _PURPOSE, hashlib.sha256)

    def secret(self, project_id: str) -> str:
        """Return what a project's receivers check signatures with."""
        return SECRET_PREFIX + base64.b64encode(self._secret(project_id)).decode()

    async def destination(self, job_id: str) -> Destination | None:
        """Return where a job's end is told; None when the job is forgotten, or nobody wants to know."""
        async with self._database.read() as read:
            found = await store.callback_of(read, job_id)
        if found is None:
            return None
        project_id, url = found
        return Destination(url, self._secret(project_id))

    def _secret(self, project_id: str) -> bytes:
        return hmac.digest(self._key, project_id.encode(), hashlib.sha256)


def require_web_address(url: str) -> None:
    """Raise BadRequest unless this can be an address to be told at."""
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL_CHARS or not url.isprintable():
        raise BadRequest(
            f"The address to be told of the end must be an http or https URL of at most {MAX_URL_CHARS} characters.",
            param="X-TokenGate-Webhook",
        )
