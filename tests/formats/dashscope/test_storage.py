"""Files brought to DashScope's storage: what is asked, what the form says, and what is no leave."""

import base64
from typing import Any

import pytest
from msgspec import json

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.parts import Data
from tokengate.formats.dashscope.storage import DashScopeStorage

STORAGE = DashScopeStorage(base="/api/v1")
FILE = Data("audio/mpeg", base64.b64encode(b"sound").decode())
LEAVE: dict[str, Any] = {
    "policy": "p",
    "signature": "s",
    "upload_dir": "instant/1",
    "upload_host": "https://storage.example",
    "oss_access_key_id": "k",
    "x_oss_object_acl": "private",
    "x_oss_forbid_overwrite": "true",
}


def test_leave_is_asked_for_a_model() -> None:
    request = STORAGE.ask("fun asr")

    assert (request.method, request.path) == ("GET", "/api/v1/uploads?action=getPolicy&model=fun%20asr")


def test_the_form_has_the_file_under_a_name_that_says_its_kind() -> None:
    place = STORAGE.read(json.encode({"data": LEAVE, "request_id": "r"}), FILE, 2)

    assert (place.url, place.address) == ("https://storage.example", "oss://instant/1/file-2.mp3")
    assert dict(place.form.fields) == {
        "OSSAccessKeyId": "k",
        "Signature": "s",
        "policy": "p",
        "key": "instant/1/file-2.mp3",
        "x-oss-object-acl": "private",
        "x-oss-forbid-overwrite": "true",
        "success_action_status": "200",
    }
    assert place.form.file.read() == b"sound"


@pytest.mark.parametrize("leave", [b"{", b"{}", b'{"data":{"policy":"p"}}'])
def test_what_is_no_leave_is_a_failure(leave: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        STORAGE.read(leave, FILE, 0)


def test_a_file_that_is_no_base64_is_the_callers_fault() -> None:
    with pytest.raises(BadRequest, match="base64"):
        STORAGE.read(json.encode({"data": LEAVE}), Data("audio/wav", "###"), 0)
