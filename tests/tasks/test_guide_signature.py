"""The guide's checks of a webhook's signature, as they are printed, accept what is sent and nothing else."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tokengate.tasks.notify import signature

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = b"\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4\xb0"
BODY = '{"type":"wallet.low_balance","note":"余额"}'


def sample(language: str, page: str) -> str:
    text = (GUIDE / page).read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"{page} has no sample in {language}"
    return found[1]


def cases() -> list[tuple[dict[str, str], str, bool]]:
    """Headers, body and whether they are genuine."""
    now_s = int(time.time())
    signed = signature(KEY, "msg_1", now_s, BODY.encode())
    good = {"webhook-id": "msg_1", "webhook-timestamp": str(now_s), "webhook-signature": signed}
    old_s = now_s - 301
    old = {**good, "webhook-timestamp": str(old_s)}
    return [
        (good, BODY, True),
        ({**good, "webhook-signature": f"v1,AAAA {signed}"}, BODY, True),
        (good, BODY + " ", False),
        ({**good, "webhook-id": "msg_2"}, BODY, False),
        ({**good, "webhook-timestamp": str(now_s + 1)}, BODY, False),
        ({**good, "webhook-signature": "v1,AAAA"}, BODY, False),
        ({**old, "webhook-signature": signature(KEY, "msg_1", old_s, BODY.encode())}, BODY, False),
    ]


@pytest.mark.parametrize("page", ["keys-and-wallets.en.md", "keys-and-wallets.zh.md"])
def test_the_python_sample_accepts_what_is_genuine_only(page: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(sample("python", page), page, "exec"), names)

    for headers, body, genuine in cases():
        assert names["is_genuine"](SECRET, headers, body.encode()) is genuine


@pytest.mark.parametrize("page", ["keys-and-wallets.en.md", "keys-and-wallets.zh.md"])
def test_the_node_sample_accepts_what_is_genuine_only(page: str, tmp_path: Path) -> None:
    (tmp_path / "check.mjs").write_text(
        sample("javascript", page)
        + f"\nfor (const [headers, body] of {json.dumps([[headers, body] for headers, body, _ in cases()])})"
        + f' console.log(isGenuine("{SECRET}", headers, Buffer.from(body)));\n',
        encoding="utf-8",
    )

    ran = subprocess.run(["node", tmp_path / "check.mjs"], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == [str(genuine).lower() for _, _, genuine in cases()]
