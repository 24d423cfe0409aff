"""DashScope's uploads: leave to bring a file, and the file; what comes of it is an `oss://` address for chats.

The vendor's SDK asks for a policy, then posts a form to the host that the policy names, as to object storage: here
that host is the gateway itself, and the policy's signature stands for the key.
https://help.aliyun.com/zh/model-studio/get-temporary-file-url and dashscope 2.0.2, utils/oss_utils.py, 2026-11
"""

import asyncio
import base64
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

import msgspec

from tokengate.core.errors import BadRequest, BodyTimeout, Forbidden
from tokengate.files.uploads import GRANT_S, MAX_FILE_BYTES, Uploads
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.reference import table
from tokengate.web.address import own_address
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint
from tokengate.web.form import Writer, read_form
from tokengate.web.request import Request

_UPLOAD_S: Final = 600.0
_FORM_BYTES: Final = 64 * 1024  # around the file
_CAPACITY_MB: Final = 1024
_KEY_ID: Final = "tokengate"  # who signs; object storage asks for it


class DashScopeUploadsSurface:
    """Gives leave and takes files. `base_url` is where callers reach the gateway, if the operator says so."""

    def __init__(self, uploads: Uploads, admit: Admit, base_url: str) -> None:
        self._uploads = uploads
        self._admit = admit
        self._base_url = base_url

    def endpoints(self) -> list[Endpoint]:
        """Return both routes."""
        return [
            Endpoint(table.DASHSCOPE_UPLOAD_POLICY, self._policy, write_error=DASHSCOPE.write_error),
            Endpoint(table.DASHSCOPE_UPLOAD, self._upload, write_error=DASHSCOPE.write_error),
        ]

    async def _policy(self, request: Request) -> None:
        principal = self._admit.principal(request)
        query = parse_qs(request.query)
        if query.get("action") != ["getPolicy"]:
            raise BadRequest("'action' must be getPolicy.", param="action")
        if not query.get("model"):
            raise BadRequest("'model' is required.", param="model")
        grant, sealed = await self._uploads.grant(principal.org_id, principal.project_id)
        expiration = datetime.fromtimestamp(grant.until_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        policy = {"expiration": expiration, "conditions": [["starts-with", "$key", f"{grant.directory}/"]]}
        data = {
            "policy": base64.b64encode(msgspec.json.encode(policy)).decode(),
            "signature": sealed,
            "upload_dir": grant.directory,
            "upload_host": f"{own_address(request, self._base_url)}{request.path}",
            "expire_in_seconds": GRANT_S,
            "max_file_size_mb": MAX_FILE_BYTES // (1024 * 1024),
            "capacity_limit_mb": _CAPACITY_MB,
            "oss_access_key_id": _KEY_ID,
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }
        request.json({"data": data, "request_id": request.id})

    async def _upload(self, request: Request) -> None:
        self._admit.require_open()
        try:
            async with asyncio.timeout(_UPLOAD_S):
                await read_form(request, MAX_FILE_BYTES + _FORM_BYTES, self._receive)
        except TimeoutError:
            raise BodyTimeout(f"The file did not arrive within {_UPLOAD_S:g} s.") from None
        request.json({"request_id": request.id})

    def _receive(self, fields: dict[str, str]) -> AbstractAsyncContextManager[Writer]:
        signature = fields.get("Signature")
        if not signature:
            raise Forbidden("The form has no 'Signature' before its file.", param="Signature")
        return self._uploads.receive(self._uploads.granted(signature), fields.get("key", ""))
