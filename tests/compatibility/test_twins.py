"""Thinking that a vendor calls `reasoning` has its other name too where its bytes are forwarded."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from tests.hosted import hosted
from tests.simulators import dialect_vendor, openai_vendor
from tests.simulators.dialect_vendor import DialectSimulator
from tests.simulators.openai_upstream import ThreadedUpstream

ASKS: dict[str, dict[str, Any]] = {
    "vllm": {"chat_template_kwargs": {"enable_thinking": True}},
    "ollama": {"reasoning_effort": "low"},
}


@pytest.mark.parametrize("name", ASKS)
async def test_forwarded_thinking_has_both_of_its_names(name: str, tmp_path: Path) -> None:
    vendor = dialect_vendor.VLLM if name == "vllm" else dialect_vendor.OLLAMA
    body = {"model": "thinker", "messages": [{"role": "user", "content": "Hello"}], **ASKS[name]}
    with ThreadedUpstream(DialectSimulator(vendor)) as upstream:
        config = (
            f'[[upstream]]\nname = "a"\nprovider = "{name}"\nbase_url = "{upstream.url}"\n'
            f'api_key = "{openai_vendor.KEY}"\nmodels = {{ thinker = "{vendor.models[0]}" }}\n'
            '[[model]]\nid = "thinker"\nprice = { input = "0.001", output = "0.002" }\n'
        )
        async with asyncio.timeout(30), hosted(tmp_path, config, balances={"main": "1000"}) as gateway:
            whole = await gateway.post(body)
            streamed = await gateway.post({**body, "stream": True})

    message = whole.json["choices"][0]["message"]
    deltas = [json.decode(line[6:])["choices"] for line in streamed.body.splitlines() if line.startswith(b"data: {")]
    pieces = [choices[0]["delta"] for choices in deltas if choices]
    assert message["reasoning"] == message["reasoning_content"] == "I think about: Hello"
    for told in ("reasoning", "reasoning_content"):
        assert "".join(piece.get(told) or "" for piece in pieces) == "I think about: Hello"
