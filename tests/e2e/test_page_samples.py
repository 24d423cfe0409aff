"""The product pages' chat samples, run as printed against a real gateway process: only address, key and, where the
test says so, the model are changed in their text. Requests, replies and errors of the pages keep every byte.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.customer import LOCAL_CHAT, LOCAL_EMBEDDING, NODE, SEEDS, Customer, node, seed_stream, whole
from tests.simulators.openai_upstream import DONE, Reply

BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")
ADDRESSES = ("https://wcode.net", "https://wan.vnet.com", "https://dashscope.aliyuncs.com")
KEY_TEXTS = ("Bearer API_KEY", 'api_key="API_KEY"', "Bearer <token>")
VISION = "Qwen3-VL-8B-Instruct"
UPSTREAM_NAMES: dict[str, str] = {"qwen/qwen3-vl-8b-instruct": VISION}

CURL = [
    ("000-curl-1", "000-request-2", "000-reply-1.json"),
    ("001-curl-1", "001-request-1", "001-reply-1.json"),
    ("002-curl-1", "002-request-1", "002-reply-1.json"),
    ("002-curl-2", "002-request-3", "002-reply-1.json"),
    ("002-curl-3", "002-request-4", "002-reply-2.json"),
    ("002-curl-4", "002-request-5", "002-reply-3.json"),
    ("002-curl-5", "002-request-6", "002-stream-1.sse"),
    ("002-curl-6", "002-request-7", "002-reply-4.json"),
    ("002-curl-7", "002-request-8", "002-reply-5.json"),
    ("003-curl-1", "003-request-2", "003-reply-1.json"),
    ("004-curl-1", "004-request-1", "004-reply-1.json"),
    ("004-curl-2", "004-request-2", "004-stream-1.sse"),
]
REPLIES = sorted(path.name for path in SEEDS.glob("00?-reply-*.json"))
STREAMS = sorted(path.name for path in SEEDS.glob("00?-stream-*.sse"))
REQUESTS = sorted(path.name for path in SEEDS.glob("00?-request-*.json"))


class Ran(NamedTuple):
    """What a sample printed."""

    out: bytes
    error: str


def page(name: str) -> bytes:
    return (SEEDS / name).read_bytes()


def run(customer: Customer, sample: str, folder: Path, *, key: bool = True, model: tuple[str, str] = ("", "")) -> Ran:
    """Run a sample with the gateway's address, the test's key, and one model's name instead of another's."""
    text = page(f"{sample}.txt").decode()
    for address in ADDRESSES:
        text = text.replace(address, customer.url)
    if key:
        for shown in KEY_TEXTS:
            text = text.replace(shown, re.sub("API_KEY|<token>", customer.key, shown))
    if model[0]:
        assert f'"{model[0]}"' in text
        text = text.replace(f'"{model[0]}"', f'"{model[1]}"')
    assert "https://wcode" not in text
    done = subprocess.run(
        command(sample, text, folder),
        capture_output=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "DASHSCOPE_API_KEY": customer.key},
    )
    error = done.stderr.decode()
    assert done.returncode == 0, error
    return Ran(done.stdout, error)


def command(sample: str, text: str, folder: Path) -> list[str]:
    """Write the sample into the folder and return the command that runs it."""
    if "curl" in sample:
        return ["bash", "-c", text]
    if "axios" in sample:
        (folder / "node_modules").symlink_to(NODE / "node_modules")
        (folder / "sample.cjs").write_text(text)
        return [node(), str(folder / "sample.cjs")]
    (folder / "sample.py").write_text(text)
    return [sys.executable, str(folder / "sample.py")]


def printed(name: str) -> Reply:
    """Return a reply of the pages as the vendor would send it."""
    return seed_stream(name) if name.endswith(".sse") else whole(page(name))


def bytes_of(reply: Reply) -> bytes:
    return reply.body if reply.pieces is None else b"".join(reply.pieces)


def answer(customer: Customer, model: str, name: str) -> bytes:
    """Have the vendor answer a model with a reply of the pages; return its bytes."""
    reply = printed(name)
    customer.answer(reply, model=UPSTREAM_NAMES.get(model, model))
    return bytes_of(reply)


# The samples


@pytest.mark.parametrize(("sample", "request_name", "reply"), CURL, ids=[sample for sample, _, _ in CURL])
def test_a_curl_sample_prints_the_pages_reply(
    customer: Customer, tmp_path: Path, sample: str, request_name: str, reply: str
):
    asked = json.loads(page(f"{request_name}.json"))
    expected = answer(customer, asked["model"], reply)

    ran = run(customer, sample, tmp_path)

    assert ran.out == expected
    sent = customer.calls[0].json
    assert sent.pop("stream_options", None) == ({"include_usage": True} if "stream" in reply else None)
    asked.pop("stream_options", None)
    assert sent == {**asked, "model": UPSTREAM_NAMES.get(asked["model"], asked["model"])}


@pytest.mark.parametrize(
    ("sample", "model", "reply"),
    [
        ("001-requests-1", "qwen/qwen3-vl-8b-instruct", "001-reply-1.json"),
        ("002-requests-1", "qwen2.5-14b-instruct", "002-reply-1.json"),
        ("001-axios-1", "qwen/qwen3-vl-8b-instruct", "001-reply-1.json"),
    ],
)
def test_a_sample_prints_the_pages_reply_as_json(
    customer: Customer, tmp_path: Path, sample: str, model: str, reply: str
):
    expected = answer(customer, model, reply)

    ran = run(customer, sample, tmp_path)

    assert json.loads(ran.out) == json.loads(expected)


def test_the_openai_sample_prints_the_pages_content(customer: Customer, tmp_path: Path):
    expected = json.loads(answer(customer, "qwen/qwen3-vl-8b-instruct", "001-reply-1.json"))

    ran = run(customer, "001-openai-1", tmp_path)

    assert ran.out.decode() == expected["choices"][0]["message"]["content"] + "\n"


def test_the_openai_stream_sample_prints_every_chunk(customer: Customer, tmp_path: Path):
    chunks = chunks_of(answer(customer, "qwen-vl-plus", "004-stream-1.sse"))

    ran = run(customer, "004-openai-1", tmp_path)

    lines: list[Any] = [ast.literal_eval(line) for line in ran.out.decode().splitlines()]
    assert [line["id"] for line in lines] == [chunk["id"] for chunk in chunks]
    assert [line["choices"][0]["delta"]["content"] for line in lines[:-1]] == [
        chunk["choices"][0]["delta"]["content"] for chunk in chunks[:-1]
    ]
    assert lines[-1]["usage"].items() >= chunks[-1]["usage"].items()


def test_the_langchain_sample_prints_the_message_with_its_usage(customer: Customer, tmp_path: Path):
    expected = json.loads(answer(customer, "qwen-vl-plus", "004-reply-1.json"))

    message = json.loads(run(customer, "004-langchain-1", tmp_path).out)

    assert message["content"] == expected["choices"][0]["message"]["content"]
    assert message["response_metadata"]["model_name"] == "qwen-vl-plus"
    assert message["response_metadata"]["finish_reason"] == "stop"
    assert (
        message["usage_metadata"].items() >= {"input_tokens": 2509, "output_tokens": 34, "total_tokens": 2543}.items()
    )


def test_the_langchain_stream_sample_prints_every_chunk_and_the_usage(customer: Customer, tmp_path: Path):
    chunks = chunks_of(answer(customer, "qwen-vl-plus", "004-stream-1.sse"))

    lines = [json.loads(line) for line in run(customer, "004-langchain-2", tmp_path).out.splitlines()]

    contents = [chunk["choices"][0]["delta"]["content"] for chunk in chunks[:-1]]
    assert [line["content"] for line in lines if line["content"]] == [content for content in contents if content]
    assert [line["usage_metadata"]["total_tokens"] for line in lines if line["usage_metadata"]] == [1355]
    assert "stop" in [line["response_metadata"].get("finish_reason") for line in lines]


@pytest.mark.parametrize(
    ("sample", "model"),
    [
        ("002-curl-5", "qwen2.5-14b-instruct"),
        ("002-requests-1", "qwen2.5-14b-instruct"),
        ("001-openai-1", "qwen/qwen3-vl-8b-instruct"),
        ("001-axios-1", "qwen/qwen3-vl-8b-instruct"),
    ],
)
def test_a_sample_runs_with_the_local_model_instead(customer: Customer, tmp_path: Path, sample: str, model: str):
    ran = run(customer, sample, tmp_path, model=(model, LOCAL_CHAT))

    assert ran.out.strip()
    bill = customer.bills()[0]
    assert (bill["model"], bill["outcome"]) == (LOCAL_CHAT, "ok")
    assert bill["output_tokens"] > 0
    assert customer.calls == []


def test_dashscopes_own_body_is_answered_with_every_field_of_its_page(customer: Customer, tmp_path: Path):
    shown: Any = json.loads(page("002-dashscope-reply-1.json"))
    choice, usage = shown["output"]["choices"][0], shown["usage"]
    counted = {"prompt_tokens": usage["input_tokens"], "completion_tokens": usage["output_tokens"]}
    told = {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": choice["message"]["content"][0]["text"]},
                "finish_reason": choice["finish_reason"],
            }
        ],
        "usage": {**counted, "prompt_tokens_details": {"video_tokens": usage["video_tokens"]}},
    }
    customer.answer(whole(told), model="qwen-vl-max-latest")

    ran = json.loads(run(customer, "002-dashscope-curl-1", tmp_path).out)

    assert ran.keys() >= shown.keys() and ran["request_id"] == customer.bills()[0]["id"]
    assert ran["output"] == shown["output"]
    assert ran["usage"].items() >= usage.items()
    (video, text) = customer.calls[0].json["messages"][1]["content"]
    assert video["video_url"]["url"].endswith(".mp4") and text["text"] == "这段视频介绍的是什么?"


def test_a_sample_of_dashscopes_own_body_without_a_key_prints_the_pages_error(customer: Customer, tmp_path: Path):
    ran = run(customer, "002-dashscope-curl-1", tmp_path, key=False)

    assert json.loads(ran.out) == json.loads(page("002-error-1.json"))


@pytest.mark.parametrize(("sample", "error"), [("001-curl-1", "002-error-1.json"), ("002-curl-5", "002-error-1.json")])
def test_a_sample_without_a_key_of_ours_prints_the_pages_error(
    customer: Customer, tmp_path: Path, sample: str, error: str
):
    ran = run(customer, sample, tmp_path, key=False)

    assert ran.out == json.dumps(json.loads(page(error)), separators=(",", ":")).encode()


# What the pages show, on every base path


@pytest.mark.parametrize(
    ("base", "error"),
    [("/v1", "004-error-1.json"), ("/api/gpt/v1", "002-error-1.json"), ("/compatible-mode/v1", "004-error-1.json")],
)
@pytest.mark.parametrize("key", ["", "sk-wrong"])
def test_a_bad_keys_error_is_the_pages_own(customer: Customer, base: str, error: str, key: str):
    refused = customer.send(f"{base}/chat/completions", page("001-request-1.json"), key=key)

    assert refused.status == 401
    assert list(refused.json) == ["error"]
    assert list(refused.json["error"].items()) == list(json.loads(page(error))["error"].items())


@pytest.mark.parametrize("base", BASES)
def test_every_base_path_has_the_whole_api(customer: Customer, base: str):
    embedded = customer.send(f"{base}/embeddings", json.dumps({"model": LOCAL_EMBEDDING, "input": "a cat"}).encode())
    completed = customer.send(f"{base}/completions", json.dumps({"model": customer.model, "prompt": "a"}).encode())
    listed = customer.send(f"{base}/models")
    shown = customer.send(f"{base}/models/qwen/qwen3-vl-8b-instruct")

    assert len(embedded.json["data"][0]["embedding"]) == 256
    assert completed.json["object"] == "text_completion"
    assert VISION in [model["id"] for model in listed.json["data"]]
    assert shown.json["id"] == VISION


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_keeps_every_byte_under_its_own_name(customer: Customer, name: str):
    model = json.loads(page(name))["model"]
    expected = answer(customer, model, name)

    for base in BASES:
        reply = customer.send(f"{base}/chat/completions", ask(model))

        assert reply.body == expected
        assert re.fullmatch(r"\d+(\.\d{1,4})?", reply.headers["x-account-balance"])
        assert reply.headers["content-type"] == "application/json"


def test_a_reply_says_the_callers_name_of_the_model_and_keeps_the_rest(customer: Customer):
    expected = answer(customer, VISION, "000-reply-1.json")

    for name in ("qwen/qwen3-vl-8b-instruct", "qwen3-vl-8b-instruct"):
        reply = customer.send("/v1/chat/completions", ask(name))

        assert reply.body == expected.replace(VISION.encode(), name.encode())


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("base", BASES)
def test_a_stream_keeps_every_byte_and_ends_with_usage_when_asked(customer: Customer, base: str, name: str):
    model = chunks_of(page(name))[0]["model"]
    expected = answer(customer, model, name)

    reply = customer.send(f"{base}/chat/completions", ask(model, stream=True, stream_options={"include_usage": True}))

    assert reply.body == expected
    assert reply.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(("base", "always"), [("/v1", False), ("/api/gpt/v1", True), ("/compatible-mode/v1", False)])
def test_the_usage_chunk_comes_unasked_only_where_the_page_shows_it(
    customer: Customer, base: str, always: bool, name: str
):
    model = chunks_of(page(name))[0]["model"]
    expected = answer(customer, model, name)

    reply = customer.send(f"{base}/chat/completions", ask(model, stream=True))

    *before, _, last = expected.split(b"\n\n")[:-1]
    assert last + b"\n\n" == DONE
    assert reply.body == (expected if always else b"\n\n".join([*before, DONE]))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_of_the_pages_reaches_the_vendor_unchanged(customer: Customer, name: str):
    body = page(name)
    model: str = json.loads(body)["model"]
    answer(customer, model, "004-stream-1.sse" if json.loads(body).get("stream") else "002-reply-1.json")

    for base in BASES:
        assert customer.send(f"{base}/chat/completions", body).status == 200

    expected = body.replace(model.encode(), UPSTREAM_NAMES.get(model, model).encode())
    for call in customer.calls:
        if "stream_options" not in json.loads(body) and "stream_options" in call.json:
            assert call.json == {**json.loads(body), "stream_options": {"include_usage": True}}
        else:
            assert call.body == expected


def ask(model: str, **parameters: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "你好"}], **parameters}).encode()


def chunks_of(stream: bytes) -> list[dict[str, Any]]:
    events = [event.removeprefix(b"data: ") for event in stream.strip().split(b"\n\n")]
    return [json.loads(event) for event in events if event != b"[DONE]"]
