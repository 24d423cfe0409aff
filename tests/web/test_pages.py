"""A product page's reply has every field also when the vendor behind it speaks DashScope's own format."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.formats.dashscope.wire import SEEDS
from tests.hosted import hosted, sells, upstream
from tests.simulators.openai_upstream import Reply, Upstream
from tokengate.formats.dashscope.shapes import is_list, is_object

# The pages of Qwen's models; the other two show what vLLM and OpenRouter add of their own.
PAGES = sorted(path.name for page in ("002", "003", "004") for path in SEEDS.glob(f"{page}-reply-*.json"))


def fields(value: Any, at: str = "") -> Iterator[str]:
    """Return the paths of all members."""
    if is_object(value):
        for name, inner in value.items():
            yield f"{at}.{name}"
            yield from fields(inner, f"{at}.{name}")
    elif is_list(value):
        for inner in value:
            yield from fields(inner, f"{at}[]")


def as_dashscope(page: Any) -> Any:
    """Return what DashScope's own service answers where its compatible mode answers with the page."""
    choice, usage = page["choices"][0], page["usage"]
    message = {name: value for name, value in choice["message"].items() if value is not None}
    counted: dict[str, Any] = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    if details := usage.get("completion_tokens_details"):
        counted["output_tokens_details"] = details
    output = {"choices": [{"finish_reason": choice["finish_reason"], "message": message}]}
    return {"output": output, "usage": counted, "request_id": "theirs"}


@pytest.mark.parametrize("name", PAGES)
async def test_a_pages_reply_has_every_field_of_it(tmp_path: Path, name: str) -> None:
    page = json.loads((SEEDS / name).read_bytes())
    reply = Reply(headers={"content-type": "application/json"}, body=json.dumps(as_dashscope(page)).encode())
    async with Upstream(lambda call: reply) as simulator:
        config = upstream(simulator.url, page["model"], provider="dashscope_native", api_key="k")
        async with hosted(tmp_path, config + sells(page["model"])) as gateway:
            asked = {"model": page["model"], "messages": [{"role": "user", "content": "你好"}]}
            told = (await gateway.post(asked)).json

    assert set(fields(told)) >= set(fields(page))
    assert told["choices"][0]["message"].items() >= page["choices"][0]["message"].items()
    assert {
        count: told["usage"][count] for count in ("prompt_tokens", "completion_tokens", "total_tokens")
    }.items() <= (page["usage"].items())
