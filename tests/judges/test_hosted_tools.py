"""OpenAI's own SDK sees every step of the vendor's own tools through the gateway, and sends the turn back."""

import json
from pathlib import Path

import anthropic
import openai

from tests.hosted import hosted, sells, upstream
from tests.simulators.openai_upstream import Call, Reply, Upstream
from tokengate.core.sse import data_of, split_frames

FIXTURES = Path(__file__).parents[1] / "fixtures" / "responses"
STREAM = (FIXTURES / "hosted_tools.sse").read_bytes()
WHOLE = (FIXTURES / "hosted_tools.reply.json").read_bytes()


def replayed(call: Call) -> Reply:
    if call.json.get("stream"):
        return Reply(headers={"content-type": "text/event-stream"}, pieces=[STREAM])
    return Reply(headers={"content-type": "application/json"}, body=WHOLE)


async def test_every_step_of_a_vendors_tools_reaches_the_sdk_and_the_turn_goes_back(tmp_path: Path) -> None:
    theirs = [json.loads(data) for frame in split_frames(STREAM) if (data := data_of(frame))]
    async with Upstream(replayed) as vendor:
        config = upstream(vendor.url, "m", provider="openai") + sells("m", formats=["responses"])
        async with hosted(tmp_path, config, balances={"main": "100"}) as gateway:
            key = gateway.keys["main"].key
            async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key) as client:
                stream = await client.responses.create(model="m", input="Hi", stream=True)
                events = [event async for event in stream]
                last = events[-1]
                assert last.type == "response.completed"
                turn = [item.model_dump(exclude_none=True) for item in last.response.output]
                again = await client.responses.create(
                    model="m",
                    input=[{"role": "user", "content": "Hi"}, *turn, {"role": "user", "content": "More"}],  # pyright: ignore[reportArgumentType]  # dumped items
                )
            async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=key) as client:
                message = await client.messages.create(
                    model="m", max_tokens=100, messages=[{"role": "user", "content": "Hi"}]
                )
        sent = vendor.calls[1].json["input"]

    assert [event.type for event in events] == [event["type"] for event in theirs]
    output = theirs[-1]["response"]["output"]
    assert [item.type for item in last.response.output] == [item["type"] for item in output]
    assert {item["type"] for item in output} <= {item.get("type", "message") for item in sent}
    assert again.output_text == last.response.output_text
    assert [block.text for block in message.content if block.type == "text"] == [again.output_text]
