"""The errors of a vendor of Responses, inside a status 200: to callers of every format each is the status that it
should have been, or, once something was said, an event of their own format; another backend is asked where it may do
better.
"""

import json
from collections.abc import AsyncGenerator
from typing import Any, get_args

import pytest
import pytest_asyncio
from openai.types.responses import ResponseError

from tests.gateway.callers import CALLERS, Caller
from tests.gateway.vendors import MESSAGE, RESPONSES, Said
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Call, Reply, Upstream
from tokengate.core.sse import data_of, split_frames

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("caller", CALLERS, ids=[f"{caller.name}-caller" for caller in CALLERS]),
]
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

JSON, SSE = {"content-type": "application/json"}, {"content-type": "text/event-stream"}
TROUBLE = {"server_error": 502, "vector_store_timeout": 502, "data_residency_mismatch": 502}  # the vendor's own
# What the SDK knows, and what else was seen. The status that a caller gets.
CODES = {
    **dict.fromkeys(get_args(ResponseError.model_fields["code"].annotation), 400),
    **TROUBLE,
    "rate_limit_exceeded": 429,
    "slow_down": 503,
    "content_filter": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 503,
}
# What each format calls a status.
WORDS: dict[str, dict[int, str]] = {
    "anthropic": {
        400: "invalid_request_error",
        429: "rate_limit_error",
        502: "api_error",
        503: "overloaded_error",
    },
    "gemini": {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE"},
    "dashscope": {
        400: "InvalidParameter",
        429: "Throttling.RateQuota",
        502: "InternalError",
        503: "ServiceUnavailable",
    },
}


class Place:
    """A gateway before two backends: the model "one" is at the first only, "two" at both."""

    def __init__(self) -> None:
        self.gateway: Hosted
        self._replies: list[Reply] = []
        self.asked = 0

    def answer(self, _: Call) -> Reply:
        self.asked += 1
        return self._replies[min(self.asked, len(self._replies)) - 1]

    async def ask(self, caller: Caller, model: str, *replies: Reply, stream: bool) -> Answer:
        """Ask for a model whose backends answer so, one after another."""
        self._replies, self.asked = list(replies), 0
        for route in self.gateway.platform.backends.routes.values():
            for target in route.targets:
                target.breaker.reset()
        body, path = caller.body(model, stream=stream), caller.at(model, stream=stream)
        return await self.gateway.post(body, path, headers=caller.headers(stream=stream))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    there = Place()
    async with Upstream(there.answer) as backend:
        config = upstream(backend.url, "one", "two", name="first", provider="openai")
        config += upstream(backend.url, "two", name="second", provider="openai", tier=2)
        config += "".join(sells(model, formats=["responses"]) for model in ("one", "two"))
        async with hosted(tmp_path_factory.mktemp("place"), config, balances={"main": "10000"}) as gateway:
            there.gateway = gateway
            yield there


def failed(code: str, *, stream: bool, said: bool = False) -> Reply:
    """Return a response that failed; `said` after its texts."""
    response: Said = RESPONSES.whole | {"status": "failed", "error": {"code": code, "message": MESSAGE}, "usage": None}
    if not said:
        response["output"] = []
    if not stream:
        return Reply(headers=JSON, body=json.dumps(response).encode())
    texts = RESPONSES.texts if said else ()
    last = {"type": "response.failed", "response": response}
    return Reply(headers=SSE, pieces=RESPONSES.frames(*RESPONSES.opening, *texts, last))


def good(*, stream: bool) -> Reply:
    if stream:
        return Reply(headers=SSE, pieces=RESPONSES.stream())
    return Reply(headers=JSON, body=json.dumps(RESPONSES.whole).encode())


def word_of(caller: Caller, error: Said) -> str:
    """Return what a format calls an error."""
    name = caller.name.partition("-")[0]
    inner = error.get("error", error)
    return str(inner[{"anthropic": "type", "gemini": "status"}.get(name, "code")])


@both_ways
@pytest.mark.parametrize(("code", "status"), CODES.items())
async def test_a_response_that_failed_has_the_status_of_its_code(
    place: Place, caller: Caller, code: str, status: int, stream: bool
) -> None:
    before = await place.gateway.balance()
    answer = await place.ask(caller, "one", failed(code, stream=stream), stream=stream)
    after = await place.gateway.balance()

    assert (answer.status, after["balance"]) == (status, before["balance"])
    ours = {"insufficient_quota": "upstream_quota"}.get(code, code)
    told: Said = json.loads(answer.body.strip(b"[]"))  # a stream may be an array
    assert word_of(caller, told) == WORDS.get(caller.name.partition("-")[0], {status: ours})[status]
    if caller.name == "openai":
        kinds = {400: "invalid_request_error", 429: "rate_limit_error", 502: "upstream_error"}
        assert answer.json["error"]["type"] == kinds.get(status, answer.json["error"]["type"])


@both_ways
@pytest.mark.parametrize("code", ["rate_limit_exceeded", *TROUBLE, "insufficient_quota"])
async def test_another_backend_is_asked_where_it_may_do_better(
    place: Place, caller: Caller, code: str, stream: bool
) -> None:
    answer = await place.ask(caller, "two", failed(code, stream=stream), good(stream=stream), stream=stream)

    assert (answer.status, place.asked) == (200, 2)
    assert caller.understand(answer.body, stream=stream).text == "Hello there"


@both_ways
@pytest.mark.parametrize("code", ["invalid_prompt", "image_parse_error", "bio_policy"])
async def test_no_other_backend_is_asked_for_what_is_the_callers_fault(
    place: Place, caller: Caller, code: str, stream: bool
) -> None:
    answer = await place.ask(caller, "two", failed(code, stream=stream), good(stream=stream), stream=stream)

    assert (answer.status, place.asked) == (400, 1)


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error", "image_parse_error"])
async def test_a_response_that_failed_amid_its_words_is_no_answer_when_whole(
    place: Place, caller: Caller, code: str
) -> None:
    answer = await place.ask(caller, "one", failed(code, stream=False, said=True), stream=False)

    assert answer.status == CODES[code]
    assert caller.understand(answer.body, stream=False).error == MESSAGE


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error", "image_parse_error", "slow_down"])
async def test_an_error_amid_a_stream_is_an_event_of_the_callers_format(
    place: Place, caller: Caller, code: str
) -> None:
    answer = await place.ask(caller, "two", failed(code, stream=True, said=True), stream=True)

    assert (answer.status, place.asked) == (200, 1)
    understood = caller.understand(answer.body, stream=True)
    assert (understood.text, understood.error, understood.ended) == ("Hello there", MESSAGE, False)
    told: list[dict[str, Any]] = (
        json.loads(answer.body)
        if answer.body.startswith(b"[")
        else [json.loads(data) for frame in split_frames(answer.body) if (data := data_of(frame)).startswith(b"{")]
    )
    last = told[-1]["response"] if caller.name == "responses" else told[-1]
    ours = {"slow_down": "server_error"}.get(code, code) if caller.name == "responses" else code
    assert word_of(caller, last) == WORDS.get(caller.name.partition("-")[0], {CODES[code]: ours})[CODES[code]]


async def test_the_other_way_of_answering_keeps_the_code(place: Place, caller: Caller) -> None:
    """Events in place of a whole reply, and a whole reply in place of events."""
    events = await place.ask(caller, "one", failed("invalid_prompt", stream=True, said=True), stream=False)
    whole = await place.ask(caller, "one", failed("invalid_prompt", stream=False, said=True), stream=True)

    assert (events.status, whole.status) == (400, 400)


async def test_an_error_event_without_a_code_has_the_status_of_its_type(place: Place, caller: Caller) -> None:
    error = {"type": "invalid_request_error", "code": None, "message": MESSAGE, "param": "input"}
    event = {"type": "error", "error": error, "sequence_number": 2}
    answer = await place.ask(caller, "one", Reply(headers=SSE, pieces=RESPONSES.frames(event)), stream=True)
    flat = {"type": "error", "code": "unknown", "message": MESSAGE, "param": None, "sequence_number": 2}
    unknown = await place.ask(caller, "one", Reply(headers=SSE, pieces=RESPONSES.frames(flat)), stream=True)

    assert (answer.status, unknown.status) == (400, 502)
    if caller.name in ("openai", "responses"):
        assert answer.json["error"]["type"] == "invalid_request_error"
        assert unknown.json["error"]["type"] == "upstream_error"
