"""What breaks gateways, from vendors of every format to callers of every format: errors in every place, streams that
end badly, and good streams that are written oddly. Whole and streamed, each must come to the same.
"""

import json
from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio

from tests.gateway.callers import CALLERS, Caller, Understood
from tests.gateway.vendors import MESSAGE, REQUEST_ID, VENDORS, Vendor, VendorUsage, with_usage
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Call, Reply, Upstream

TEXT = "Hello there"
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
WHOLE = Understood(TEXT, "", True, (10, 5))

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("vendor", VENDORS, ids=[f"{vendor.name}-vendor" for vendor in VENDORS]),
    pytest.mark.parametrize("caller", CALLERS, ids=[f"{caller.name}-caller" for caller in CALLERS]),
]
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


class Place:
    """A gateway before two backends of each vendor: a model "…-one" is at the first only, "…-two" at both."""

    def __init__(self) -> None:
        self.gateway: Hosted
        self._replies: list[Reply] = []
        self._asked = 0

    def answer(self, _: Call) -> Reply:
        self._asked += 1
        return self._replies[min(self._asked, len(self._replies)) - 1]

    async def ask(
        self, vendor: Vendor, caller: Caller, *replies: Reply, stream: bool, spare: bool = False, instructions: str = ""
    ) -> tuple[Answer, Understood]:
        """Ask for a model whose backends, as many as there are replies, answer so, one after another; a `spare` one is
        not asked."""
        self._replies, self._asked = list(replies), 0
        for route in self.gateway.platform.backends.routes.values():
            for target in route.targets:
                target.breaker.reset()
        model = f"{vendor.name}-{'one' if len(replies) == 1 and not spare else 'two'}"
        body, path = caller.body(model, stream=stream), caller.at(model, stream=stream)
        if instructions:
            body["instructions"] = instructions
        answer = await self.gateway.post(body, path, headers=caller.headers(stream=stream))
        assert self._asked == len(replies)
        return answer, caller.understand(answer.body, stream=stream and answer.status == 200)

    async def refused(
        self, vendor: Vendor, caller: Caller, *replies: Reply, stream: bool, spare: bool = False
    ) -> tuple[Answer, Understood]:
        """Ask for what fails, and costs nothing."""
        before = await self.gateway.balance()
        answer, understood = await self.ask(vendor, caller, *replies, stream=stream, spare=spare)
        after = await self.gateway.balance()
        assert (after["balance"], float(after["held"])) == (before["balance"], 0)
        return answer, understood


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    there = Place()
    async with Upstream(there.answer) as backend:
        config = ""
        for vendor in VENDORS:
            one, two = f"{vendor.name}-one", f"{vendor.name}-two"
            config += upstream(backend.url, one, two, name=f"{vendor.name}-first", provider=vendor.provider)
            config += upstream(backend.url, two, name=f"{vendor.name}-second", provider=vendor.provider, tier=2)
            config += "".join(sells(model, formats=list(vendor.formats)) for model in (one, two))
        async with hosted(tmp_path_factory.mktemp("place"), config, balances={"main": "10000"}) as gateway:
            there.gateway = gateway
            yield there


def good(vendor: Vendor, *, stream: bool) -> Reply:
    if stream:
        return Reply(headers=SSE, pieces=vendor.stream())
    return Reply(headers=JSON, body=json.dumps(vendor.whole).encode())


# Refusals and errors


@both_ways
@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_arrives_in_the_vendors_words(
    place: Place, vendor: Vendor, caller: Caller, stream: bool, status: int
) -> None:
    body = json.dumps(vendor.error).encode()
    refusal = Reply(status=status, headers={**JSON, vendor.request_id: REQUEST_ID}, body=body)
    answer, understood = await place.refused(vendor, caller, refusal, stream=stream, spare=True)

    assert (answer.status, understood.error) == (status, MESSAGE)
    assert answer.headers["x-upstream-request-id"] == REQUEST_ID


@both_ways
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_is_tried_elsewhere(
    place: Place, vendor: Vendor, caller: Caller, stream: bool, status: int
) -> None:
    trouble = Reply(status=status, headers=JSON, body=json.dumps(vendor.error).encode())
    _, understood = await place.ask(vendor, caller, trouble, good(vendor, stream=stream), stream=stream)

    assert understood == WHOLE


@both_ways
@pytest.mark.parametrize("labelled", ["as asked", "as the other"])
async def test_an_error_inside_a_200_is_an_error(
    place: Place, vendor: Vendor, caller: Caller, stream: bool, labelled: str
) -> None:
    """A stream that was asked for may be refused by a JSON body, and a whole reply by an event."""
    as_event = stream is (labelled == "as asked")
    head = {**(SSE if as_event else JSON), vendor.request_id: REQUEST_ID}
    body = vendor.frame(vendor.error_event) if as_event else json.dumps(vendor.error).encode()
    answer, understood = await place.refused(vendor, caller, Reply(headers=head, body=body), stream=stream)

    assert (answer.status >= 500, understood) == (True, Understood(error=MESSAGE))
    assert answer.headers["x-upstream-request-id"] == REQUEST_ID


@both_ways
async def test_an_error_inside_a_200_is_tried_elsewhere(
    place: Place, vendor: Vendor, caller: Caller, stream: bool
) -> None:
    error = vendor.frame(vendor.error_event) if stream else json.dumps(vendor.error).encode()
    first = Reply(headers=SSE if stream else JSON, body=error)
    _, understood = await place.ask(vendor, caller, first, good(vendor, stream=stream), stream=stream)

    assert understood == WHOLE


async def test_an_error_event_before_any_content_is_tried_elsewhere(
    place: Place, vendor: Vendor, caller: Caller
) -> None:
    pieces = vendor.frames(*vendor.opening, vendor.error_event)
    broken = Reply(headers=SSE, pieces=pieces)
    _, understood = await place.ask(vendor, caller, broken, good(vendor, stream=True), stream=True)

    assert understood == WHOLE


async def test_an_error_event_amid_a_stream_is_told_and_what_came_is_billed(
    place: Place, vendor: Vendor, caller: Caller
) -> None:
    pieces = vendor.frames(*vendor.opening, *vendor.texts, vendor.error_event)
    broken = Reply(headers=SSE, pieces=pieces)
    answer, understood = await place.ask(vendor, caller, broken, stream=True, spare=True)
    bill = await place.gateway.bill(answer.headers["x-request-id"])

    assert (understood.text, understood.error, understood.ended) == (TEXT, MESSAGE, False)
    assert bill["outcome"] == "upstream_cut" and bill["usage_source"] != "vendor"
    assert bill["output_tokens"] == 3


# Ends that are none


@pytest.mark.parametrize("ending", ["complete", "cut", "reset"])
async def test_a_stream_that_breaks_off_is_told(place: Place, vendor: Vendor, caller: Caller, ending: str) -> None:
    broken = Reply(headers=SSE, pieces=vendor.frames(*vendor.opening, *vendor.texts), ending=ending)
    answer, understood = await place.ask(vendor, caller, broken, stream=True)
    bill = await place.gateway.bill(answer.headers["x-request-id"])

    assert (understood.text, understood.ended) == (TEXT, False)
    assert understood.error
    assert bill["outcome"] == "upstream_cut" and float(bill["cost"]) > 0


async def test_a_stream_that_breaks_off_before_content_is_tried_elsewhere(
    place: Place, vendor: Vendor, caller: Caller
) -> None:
    broken = Reply(headers=SSE, pieces=vendor.frames(*vendor.opening, *vendor.nothing))
    _, understood = await place.ask(vendor, caller, broken, good(vendor, stream=True), stream=True)

    assert understood == WHOLE


async def test_a_backend_that_takes_over_late_does_not_begin_the_reply_twice(
    place: Place, vendor: Vendor, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller has the head and the comments of the first one, which thought for a while, and nothing else; however
    long the instructions are that the beginning of a response repeats twice."""
    instructions = "Be brief. " * 5_000 if caller.name == "responses" else ""
    monkeypatch.setattr("tokengate.gateway.stream._HOLD_BACK_S", 0)
    said = [*vendor.frames(*vendor.opening, *vendor.nothing), b": keep-alive\n\n"]
    slow = Reply(headers=SSE, pieces=said, gap_s=0.01)
    _, alone = await place.ask(vendor, caller, good(vendor, stream=True), stream=True)

    answer, understood = await place.ask(
        vendor, caller, slow, good(vendor, stream=True), stream=True, instructions=instructions
    )

    assert understood == alone == WHOLE
    begins = (b'"message_start"', b'"response.created"')
    assert all(answer.body.count(begin) <= 1 for begin in begins)


@pytest.mark.parametrize("body", [b"", b"<html>Nice page</html>", b"null", b"[1]", b'"text"', b"{}", b'{"choices":1}'])
@both_ways
async def test_what_is_no_reply_is_tried_elsewhere_and_not_charged(
    place: Place, vendor: Vendor, caller: Caller, stream: bool, body: bytes
) -> None:
    nonsense = Reply(headers=SSE if stream else JSON, body=body)
    _, understood = await place.ask(vendor, caller, nonsense, good(vendor, stream=stream), stream=stream)
    answer, failed = await place.refused(vendor, caller, nonsense, stream=stream)

    assert understood == WHOLE
    assert answer.status == 502 and failed.error


async def test_half_a_reply_is_tried_elsewhere_and_not_charged(place: Place, vendor: Vendor, caller: Caller) -> None:
    whole = json.dumps(vendor.whole).encode()
    half = Reply(headers=JSON, body=whole[: len(whole) // 2])
    _, understood = await place.ask(vendor, caller, half, good(vendor, stream=False), stream=False)
    answer, _ = await place.refused(vendor, caller, half, stream=False)

    assert understood == WHOLE
    assert answer.status == 502


@both_ways
async def test_an_empty_reply_is_tried_elsewhere_and_not_charged(
    place: Place, vendor: Vendor, caller: Caller, stream: bool
) -> None:
    said = (with_usage(one, "none") for one in (*vendor.opening, *vendor.closing))
    pieces = [*vendor.frames(*said), *vendor.last()]
    if vendor.name == "responses":  # whose last event repeats the text
        completed = {"type": "response.completed", "response": vendor.empty}
        pieces = vendor.frames(vendor.opening[0], completed)
    empty = Reply(headers=SSE, pieces=pieces)
    if not stream:
        empty = Reply(headers=JSON, body=json.dumps(vendor.empty).encode())
    _, understood = await place.ask(vendor, caller, empty, good(vendor, stream=stream), stream=stream)
    answer, failed = await place.refused(vendor, caller, empty, stream=stream)

    assert understood == WHOLE
    assert answer.status == 502 and failed.error


# Good replies, written oddly


def _commented(stream: list[bytes]) -> list[bytes]:
    return [piece for frame in stream for piece in (b": keep-alive\n\n", b": OPENROUTER PROCESSING\n\n", frame)]


def _split(stream: list[bytes]) -> list[bytes]:
    body = b"".join(stream)
    return [body[at : at + 3] for at in range(0, len(body), 3)]


def _without_blanks(stream: list[bytes]) -> list[bytes]:
    return [frame.replace(b"data: ", b"data:") for frame in stream]


def _in_lines(stream: list[bytes]) -> list[bytes]:
    """Data over several lines, which join into the same JSON."""
    return [frame.replace(b',"', b',\ndata: "') if b'{"' in frame else frame for frame in stream]


WAYS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "comments": _commented,
    "CRLF": lambda stream: [frame.replace(b"\n", b"\r\n") for frame in stream],
    "CR": lambda stream: [frame.replace(b"\n", b"\r") for frame in stream],
    "split characters": _split,
    "no blank after data": _without_blanks,
    "several lines of data": _in_lines,
    "a mark at the beginning": lambda stream: [b"\xef\xbb\xbf", *stream],
    "no last empty line": lambda stream: [*stream[:-1], stream[-1].rstrip(b"\n")],
    "all at once": lambda stream: [b"".join(stream)],
}


@pytest.mark.parametrize("way", WAYS)
async def test_however_a_stream_is_written_it_says_the_same(
    place: Place, vendor: Vendor, caller: Caller, way: str
) -> None:
    spoken = [frame.replace(b"there", "thére 你好 😀".encode()) for frame in vendor.stream()]
    _, understood = await place.ask(vendor, caller, Reply(headers=SSE, pieces=WAYS[way](spoken)), stream=True)

    assert understood == Understood("Hello thére 你好 😀", "", True, (10, 5))


@both_ways
@pytest.mark.parametrize("usage", ["none", "null", "empty"])
async def test_usage_may_be_missing_or_hollow(
    place: Place, vendor: Vendor, caller: Caller, stream: bool, usage: VendorUsage
) -> None:
    if stream:
        said = [with_usage(one, usage) for one in (*vendor.opening, *vendor.texts, *vendor.closing)]
        reply = Reply(headers=SSE, pieces=[*vendor.frames(*said), *vendor.last()])
    else:
        reply = Reply(headers=JSON, body=json.dumps(with_usage(vendor.whole, usage)).encode())
    answer, understood = await place.ask(vendor, caller, reply, stream=stream)
    bill = await place.gateway.bill(answer.headers["x-request-id"])

    assert (understood.text, understood.ended) == (TEXT, True)
    billed = (bill["input_tokens"], bill["output_tokens"])
    assert billed == (10, 5) if usage == "empty" else bill["usage_source"] == "estimated" and billed[1] == 3
    assert float(bill["cost"]) > 0


@both_ways
async def test_a_reply_in_the_other_way_is_what_was_asked_for(
    place: Place, vendor: Vendor, caller: Caller, stream: bool
) -> None:
    """Some backends do not look at `stream`, and some proxies stream whatever was asked."""
    answer, understood = await place.ask(vendor, caller, good(vendor, stream=not stream), stream=stream)
    bill = await place.gateway.bill(answer.headers["x-request-id"])

    assert (answer.status, understood) == (200, WHOLE)
    assert (bill["input_tokens"], bill["output_tokens"], bill["usage_source"]) == (10, 5, "vendor")


@both_ways
async def test_half_a_reply_in_the_other_way_is_tried_elsewhere_and_not_charged(
    place: Place, vendor: Vendor, caller: Caller, stream: bool
) -> None:
    whole = json.dumps(vendor.whole).encode()
    half = Reply(headers=SSE, pieces=vendor.frames(*vendor.opening, *vendor.texts))
    if stream:
        half = Reply(headers=JSON, body=whole[: len(whole) // 2])
    _, understood = await place.ask(vendor, caller, half, good(vendor, stream=stream), stream=stream)
    answer, failed = await place.refused(vendor, caller, half, stream=stream)

    assert understood == WHOLE
    assert answer.status == 502 and failed.error


async def test_frames_without_content_come_and_go(place: Place, vendor: Vendor, caller: Caller) -> None:
    """Such as an Azure-like first chunk with `choices: []`, and kinds of events that nobody knows yet."""
    first, second = vendor.texts
    said = (*vendor.opening, *vendor.nothing, first, *vendor.nothing[:1], second, *vendor.closing)
    reply = Reply(headers=SSE, pieces=[*vendor.frames(*said), *vendor.last()])
    _, understood = await place.ask(vendor, caller, reply, stream=True)

    assert understood == WHOLE


async def test_usage_may_come_before_the_content(place: Place, vendor: Vendor, caller: Caller) -> None:
    later = (with_usage(one, "none") for one in (*vendor.opening, *vendor.texts, *vendor.closing))
    reply = Reply(headers=SSE, pieces=[*vendor.frames(*vendor.early_usage, *later), *vendor.last()])
    answer, understood = await place.ask(vendor, caller, reply, stream=True)
    bill = await place.gateway.bill(answer.headers["x-request-id"])

    assert (understood.text, understood.ended) == (TEXT, True)
    assert (bill["input_tokens"], bill["output_tokens"], bill["usage_source"]) == (10, 5, "vendor")
