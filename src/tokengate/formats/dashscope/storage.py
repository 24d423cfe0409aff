"""DashScope's storage for the files of a request: leave is asked for, a form with the file goes to the host that it
names, and the file has an `oss://` address then, which only the same account can use, for 48 hours.

https://help.aliyun.com/zh/model-studio/get-temporary-file-url and dashscope 2.0.2, utils/oss_utils.py, 2026-11
"""

import base64
import binascii
import hashlib
import io
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.jobs import JobRequest, Place
from tokengate.core.parts import Data
from tokengate.core.upload import StoredFile, Upload

_ENDINGS: Final = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "mp4": "m4a", "x-m4a": "m4a"}  # else the type's own


class DashScopeStorage(Struct, frozen=True, kw_only=True):
    """Implements `core.jobs.Storage`. `base` is before the path, where the vendor's address is that of its compatible
    mode."""

    base: str = ""

    def ask(self, model: str) -> JobRequest:
        """Return the question for leave to bring a file for a model."""
        return JobRequest("GET", f"{self.base}/uploads?action=getPolicy&model={quote(model, safe='')}")

    def read(self, leave: bytes, file: Data, at: int) -> Place:
        """Read the leave for one file. Raises UpstreamFailed when it is none, BadRequest for a file of no base64."""
        try:
            data = base64.b64decode(file.base64, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest(f"File {at} of the input is not base64.", param="input", code="invalid_base64") from None
        try:
            given = _decode(leave).data
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's leave to bring a file cannot be read.", kind="invalid") from error
        kind = file.media_type.partition(";")[0].partition("/")[2].lower()
        name = f"file-{at}.{_ENDINGS.get(kind, kind) or 'bin'}"
        key = f"{given.upload_dir}/{name}"
        fields = (
            ("OSSAccessKeyId", given.oss_access_key_id),
            ("Signature", given.signature),
            ("policy", given.policy),
            ("key", key),
            ("x-oss-object-acl", given.x_oss_object_acl),
            ("x-oss-forbid-overwrite", given.x_oss_forbid_overwrite),
            ("success_action_status", "200"),
        )
        stored = StoredFile(name, file.media_type, len(data), hashlib.sha256(data).hexdigest(), io.BytesIO(data))
        return Place(given.upload_host, Upload(fields, stored), f"oss://{key}")


class _Leave(Struct):
    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    oss_access_key_id: str
    x_oss_object_acl: str = "private"
    x_oss_forbid_overwrite: str = "true"


class _Answer(Struct):
    data: _Leave


_decode = msgspec.json.Decoder(_Answer).decode
