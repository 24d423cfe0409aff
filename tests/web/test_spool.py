import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.web.requests import request_of
from tokengate.core.errors import Unavailable
from tokengate.web.spool import spooled

HEAD = {"content-type": "multipart/form-data; boundary=b"}
FORM = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n%b\r\n--b--\r\n' % bytes(2_000_000)


async def test_a_disk_that_fills_up_meanwhile_takes_no_more_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many files may be on their way at once, each of them begun when there was room."""
    usage: Any = shutil.disk_usage("/")
    free_bytes = iter((1 << 40, 1000))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=next(free_bytes)))  # pyright: ignore
    request, _ = request_of("POST", "/", HEAD, FORM)

    with pytest.raises(Unavailable) as caught:
        async with spooled(request, tmp_path):
            raise AssertionError("there was no room for all of it")

    assert caught.value.code == "no_space"
