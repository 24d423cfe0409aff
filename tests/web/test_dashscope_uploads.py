"""Uploads over the wire: who may bring a file, how a form must look, and who may name the file afterwards."""

import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Upstream, by_model
from tokengate.accounts.audit import By
from tokengate.accounts.changes import create_key
from tokengate.accounts.orgs.store import create_project
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPLOADS = "/api/v1/uploads"
PNG = b"\x89PNG\r\n\x1a\n and so on"
BOUNDARY = "a-boundary"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
RESOLVE = {"x-dashscope-ossresourceresolve": "enable"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncGenerator[Upstream]:
    async with Upstream(by_model) as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: Upstream) -> AsyncGenerator[Hosted]:
    config = upstream(simulator.url, "echo") + sells("echo", input="0.001", output="0.001")
    async with hosted(tmp_path_factory.mktemp("uploads"), config, balances={"main": "1000"}) as gateway:
        yield gateway


def form(fields: dict[str, str], file: bytes | None = PNG, *, more: bytes = b"") -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if file is not None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="dog.png"\r\n\r\n'
        parts.append(head.encode() + file + b"\r\n")
    return b"".join(parts) + more + f"--{BOUNDARY}--\r\n".encode()


async def policy(gateway: Hosted, *, key: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await gateway.get(f"{UPLOADS}?action=getPolicy&model=qwen-vl-max", key=key, headers=headers)
    assert answer.status == 200, answer.body
    return answer.json["data"]


def fields_of(given: dict[str, Any], name: str = "dog.png") -> dict[str, str]:
    return {"Signature": given["signature"], "policy": given["policy"], "key": f"{given['upload_dir']}/{name}"}


async def post(gateway: Hosted, body: bytes, headers: dict[str, str] = FORM) -> Answer:
    """Post a form as object storage gets it: without a key."""
    async with gateway.connect() as connection:
        await connection.request("POST", UPLOADS, headers, body)
        return await connection.answer()


async def uploaded(gateway: Hosted, *, key: str | None = None) -> str:
    fields = fields_of(await policy(gateway, key=key))
    assert (await post(gateway, form(fields))).status == 200
    return f"oss://{fields['key']}"


def kept(gateway: Hosted) -> list[Path]:
    folder = gateway.platform.settings.server.data / "uploads"
    return [path for path in folder.rglob("*") if path.is_file()]


def look(url: str) -> dict[str, Any]:
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what is it?"}]
    return {"model": "echo", "messages": [{"role": "user", "content": content}]}


async def key_of_another_project(gateway: Hosted) -> CreatedKey:
    """Make a key in a new project of the same org, on the same wallet."""
    platform = gateway.platform
    by = By("system", "", "", "", now_ms(SystemClock()), new_id)
    wallet_id = gateway.keys["main"].wallet_id
    async with platform.database.tx() as tx:
        project = await create_project(tx, DEFAULT_ORG, by, name="other")
        key = await create_key(tx, DEFAULT_ORG, by, name="other", project_id=project.id, wallet_id=wallet_id)
    await platform.keyring.refresh()
    return key


async def test_a_policy_says_where_and_how_much(gateway: Hosted) -> None:
    given = await policy(gateway, headers={"host": "127.0.0.1:8700"})
    behind = await policy(gateway, headers={"x-forwarded-proto": "https", "host": "ai.example.com"})

    assert given["upload_host"] == f"http://127.0.0.1:8700{UPLOADS}"
    assert behind["upload_host"] == f"https://ai.example.com{UPLOADS}"
    assert (given["max_file_size_mb"], given["expire_in_seconds"]) == (20, 300)
    conditions = json.loads(base64.b64decode(given["policy"]))["conditions"]
    assert conditions == [["starts-with", "$key", given["upload_dir"] + "/"]]


@pytest.mark.parametrize(
    ("query", "named"),
    [("", "action"), ("?action=other&model=m", "action"), ("?action=getPolicy", "model")],
)
async def test_a_policy_is_asked_for_in_the_vendors_way(gateway: Hosted, query: str, named: str) -> None:
    answer = await gateway.get(UPLOADS + query)

    assert (answer.status, answer.json["code"]) == (400, "InvalidParameter")
    assert named in answer.json["message"]


async def test_only_a_key_gets_a_policy(gateway: Hosted) -> None:
    answer = await gateway.get(f"{UPLOADS}?action=getPolicy&model=m", headers={"authorization": "Bearer sk-wrong"})

    assert (answer.status, answer.json["code"]) == (401, "InvalidApiKey")


async def test_an_uploaded_file_is_in_the_request_that_names_it_and_is_billed_once(
    gateway: Hosted, simulator: Upstream
) -> None:
    url = await uploaded(gateway)
    before = (await gateway.balance())["balance"]

    answer = await gateway.post(look(url), headers=RESOLVE)

    assert answer.status == 200
    sent = simulator.calls[-1].json["messages"][0]["content"][0]
    assert sent["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert answer.headers["x-request-cost"] == "0.000015"
    after = (await gateway.balance())["balance"]
    assert round(float(before) - float(after), 9) == 0.000015


async def test_the_address_of_another_project_is_a_clear_400_and_free(gateway: Hosted, simulator: Upstream) -> None:
    gateway.keys["other"] = await key_of_another_project(gateway)
    url = await uploaded(gateway, key="other")
    before, calls = (await gateway.balance())["balance"], len(simulator.calls)

    answer = await gateway.post(look(url), headers=RESOLVE, key="main")

    assert (answer.status, answer.json["error"]["code"]) == (400, "file_not_found")
    assert url in answer.json["error"]["message"]
    assert len(simulator.calls) == calls
    assert (await gateway.balance())["balance"] == before


async def test_an_address_that_was_never_given_is_a_clear_400_and_free(gateway: Hosted, simulator: Upstream) -> None:
    before, calls = (await gateway.balance())["balance"], len(simulator.calls)

    answer = await gateway.post(look(f"oss://uploads/upl_{'0' * 32}/dog.png"), headers=RESOLVE)

    assert (answer.status, answer.json["error"]["code"]) == (400, "file_not_found")
    assert len(simulator.calls) == calls
    assert (await gateway.balance())["balance"] == before


async def test_who_does_not_ask_for_it_gets_nothing_looked_up(gateway: Hosted, simulator: Upstream) -> None:
    url = await uploaded(gateway)

    answer = await gateway.post(look(url))

    assert answer.status == 200
    assert simulator.calls[-1].json["messages"][0]["content"][0]["image_url"]["url"] == url


async def test_a_form_must_be_signed_whole_and_end_with_its_file(gateway: Hosted) -> None:
    fields = fields_of(await policy(gateway))
    files = kept(gateway)
    unsigned = {name: value for name, value in fields.items() if name != "Signature"}
    after = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'.encode()
    sent = form(fields)

    answers = {
        "unsigned": await post(gateway, form(unsigned)),
        "forged": await post(gateway, form({**fields, "Signature": "AAAA"})),
        "elsewhere": await post(gateway, form({**fields, "key": "uploads/upl_1/dog.png"})),
        "no file": await post(gateway, form(fields, None)),
        "not last": await post(gateway, form(fields, more=after)),
        "cut": await post(gateway, sent[:-40]),
        "no form": await post(gateway, b"{}", {"content-type": "application/json"}),
        "no boundary": await post(gateway, sent, {"content-type": "multipart/form-data"}),
        "odd boundary": await post(gateway, sent, {"content-type": "multipart/form-data; boundary*=a; boundary*0*=b"}),
        "long field": await post(gateway, form({"x": "y" * 9000, **fields})),
        "empty": await post(gateway, b""),
    }

    assert {name: answer.status for name, answer in answers.items()} == {
        "unsigned": 403,
        "forged": 403,
        "elsewhere": 403,
        "no file": 400,
        "not last": 400,
        "cut": 400,
        "no form": 415,
        "no boundary": 415,
        "odd boundary": 415,
        "long field": 400,
        "empty": 400,
    }
    for answer in answers.values():
        assert answer.json["code"] and answer.json["request_id"] == answer.headers["x-request-id"]
    assert kept(gateway) == files


async def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(gateway: Hosted) -> None:
    files = kept(gateway)

    answer = await post(gateway, form(fields_of(await policy(gateway)), bytes(20 * 1024 * 1024 + 1)))

    assert answer.status == 400 and "larger than" in answer.json["message"]
    assert kept(gateway) == files


async def test_the_same_file_twice_is_a_conflict(gateway: Hosted) -> None:
    sent = form(fields_of(await policy(gateway)))

    first, second = await post(gateway, sent), await post(gateway, sent)

    assert (first.status, second.status) == (200, 409)
    assert first.json == {"request_id": first.headers["x-request-id"]}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
async def test_a_mutated_form_is_taken_or_refused(gateway: Hosted, data: st.DataObject) -> None:
    body = bytearray(form(fields_of(await policy(gateway))))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"\r\n", b"--", b'"', b";"]))

    answer = await post(gateway, bytes(body))

    assert answer.status in (200, 400, 403, 409, 415)
