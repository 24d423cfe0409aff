import json
from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from tests.support import FakeClock
from tests.web.requests import MemoryChannel, request_of
from tokengate.core.errors import BadKey, ClientGone, NotFound, UpstreamFailed
from tokengate.reference.table import ApiOperation, Method
from tokengate.web.dispatch import Dispatch, Endpoint, Handler
from tokengate.web.errors import BadKeyWords
from tokengate.web.request import Request

PATHS = ("/v1/models", "/v1/models/{model}", "/v1/usage", "/v1/usage/{request_id}")


async def say_path(request: Request) -> None:
    request.json({"path": request.path})


def raising(error: BaseException) -> Handler:
    async def handler(request: Request) -> None:
        raise error

    return handler


def endpoint(method: Method, path: str, handler: Handler = say_path, words: BadKeyWords | None = None) -> Endpoint:
    return Endpoint(ApiOperation("test", method, path), handler, bad_key=words)


def dispatch_of(
    *endpoints: Endpoint,
    cors: Sequence[str] = ("*",),
    body_timeout_s: float = 30.0,
    on_refused: Callable[[str], None] | None = None,
) -> Dispatch:
    return Dispatch(
        endpoints or [endpoint("GET", path) for path in PATHS],
        clock=FakeClock(),
        new_id=lambda prefix, _: f"{prefix}_new",
        cors=cors,
        body_timeout_s=body_timeout_s,
        on_refused=on_refused,
    )


async def ask(
    dispatch: Dispatch, method: str = "GET", path: str = "/v1/models", headers: dict[str, str] | None = None
) -> MemoryChannel:
    request, channel = request_of(method, path, headers)
    await dispatch.answer(request)
    return channel


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/a", "/v1/models/qwen/qwen3", "/v1/usage/req_1"])
async def test_a_path_is_exact_or_a_prefix_with_something_behind_it(path: str):
    answer = await ask(dispatch_of(), path=path)

    assert (answer.status, json.loads(answer.body)) == (200, {"path": path})
    assert answer.headers["x-request-id"] == "req_new"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/models/", "/v1/modelsx", "/V1/models", "//v1/models"])
async def test_every_other_path_is_unknown(path: str):
    answer = await ask(dispatch_of(), path=path)

    assert answer.status == 404
    assert json.loads(answer.body)["error"]["code"] == "not_found"


async def test_an_unknown_path_is_named_but_not_at_length():
    answer = await ask(dispatch_of(), path="/" + "x" * 5_000)

    assert len(answer.body) < 500


async def test_what_is_matched_by_more_comes_first():
    def saying(word: str) -> Handler:
        async def handler(request: Request) -> None:
            request.json({"word": word})

        return handler

    both = dispatch_of(
        endpoint("GET", "/v1/models/{model}", saying("show")),
        endpoint("POST", "/v1/models/{model}:count", saying("count")),
        endpoint("GET", "/v1/{other}", saying("other")),
    )
    asked = [("GET", "/v1/models/a:b"), ("POST", "/v1/models/a:b:count"), ("GET", "/v1/x")]
    words = [json.loads((await ask(both, method, path)).body)["word"] for method, path in asked]

    assert words == ["show", "count", "other"]


async def test_a_wrong_method_is_refused_in_the_words_of_its_path():
    own = Endpoint(ApiOperation("test", "POST", "/a"), say_path, write_error=lambda error, id: b'"%d"' % error.status)

    assert (await ask(dispatch_of(own), "GET", "/a")).body == b'"405"'


async def test_a_wrong_method_is_told_every_right_one():
    both = dispatch_of(endpoint("POST", "/a"), endpoint("GET", "/a"))

    answer = await ask(both, "DELETE", "/a")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_the_head_of_what_may_be_got_is_the_business_of_its_handler():
    got = await ask(dispatch_of(endpoint("GET", "/a")), "HEAD", "/a")
    posted = await ask(dispatch_of(endpoint("POST", "/a")), "HEAD", "/a")

    assert (got.status, posted.status) == (200, 405)


async def test_a_path_with_two_names_is_matched_by_what_is_around_them():
    two = dispatch_of(endpoint("GET", "/a/{one}/{two}/end"))

    assert [(await ask(two, "GET", path)).status for path in ("/a/b/c/end", "/a/b/c/d", "/a//end")] == [200, 404, 404]


async def test_an_expected_error_is_written_in_the_words_of_its_path():
    words = BadKeyWords("Invalid API-KEY", None)
    answer = await ask(dispatch_of(endpoint("GET", "/a", raising(BadKey()), words)), path="/a")

    assert answer.status == 401
    assert json.loads(answer.body)["error"]["message"] == "Invalid API-KEY"


async def test_a_body_that_is_late_is_a_408():
    late = dispatch_of(endpoint("GET", "/a", raising(TimeoutError())), body_timeout_s=1.5)

    answer = await ask(late, path="/a")

    assert answer.status == 408
    assert "1.5 s" in json.loads(answer.body)["error"]["message"]


async def test_a_defect_is_a_500_that_says_nothing_and_a_log_that_says_all():
    broken = dispatch_of(endpoint("GET", "/a", raising(ZeroDivisionError("the secret cause"))))

    with capture_logs() as logs:
        answer = await ask(broken, path="/a")

    assert answer.status == 500
    assert "secret" not in answer.body.decode()
    assert [(log["event"], log["log_level"], log["request_id"]) for log in logs] == [("defect", "error", "req_new")]


@pytest.mark.parametrize("error", [NotFound("No."), ClientGone(), ZeroDivisionError()])
async def test_after_the_head_nothing_is_added_to_a_reply(error: Exception):
    async def handler(request: Request) -> None:
        request.open(200, [])
        await request.write(b"data: 1\n\n")
        raise error

    with capture_logs():
        answer = await ask(dispatch_of(endpoint("GET", "/a", handler)), path="/a")

    assert (answer.status, answer.body) == (200, b"data: 1\n\n")


async def test_a_preflight_is_answered_for_every_path_there_is():
    asked = {"origin": "https://app.example", "access-control-request-headers": "authorization, x-anything"}
    for path in ("/v1/models", "/v1/models/a"):
        answer = await ask(dispatch_of(), "OPTIONS", path, asked)

        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "authorization, x-anything"

    assert (await ask(dispatch_of(), "OPTIONS", "/unknown", asked)).status == 404


@pytest.mark.parametrize(
    ("cors", "origin", "allowed"),
    [
        (["*"], "https://any.example", "*"),
        (["https://app.example"], "https://app.example", "https://app.example"),
        (["https://app.example"], "https://app.example.evil", None),
        (["https://app.example"], "null", None),
        ([], "https://app.example", None),
    ],
)
async def test_origins_are_allowed_as_configured(cors: list[str], origin: str, allowed: str | None):
    answer = await ask(dispatch_of(cors=cors), headers={"origin": origin})

    assert answer.headers.get("access-control-allow-origin") == allowed
    assert ("access-control-expose-headers" in answer.headers) == (allowed is not None)
    assert answer.headers.get("vary") == ("origin" if allowed == origin else None)


async def test_a_caller_without_an_origin_gets_no_cors_headers():
    answer = await ask(dispatch_of())

    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_refusals_are_told_by_their_code_and_upstream_failures_are_none():
    refused: list[str] = []

    async def bad_key(_: Request) -> None:
        raise BadKey()

    async def upstream(_: Request) -> None:
        raise UpstreamFailed("no", kind="status")

    dispatch = dispatch_of(
        endpoint("GET", "/bad", bad_key), endpoint("GET", "/upstream", upstream), on_refused=refused.append
    )
    for path in ("/bad", "/upstream", "/unknown"):
        await ask(dispatch, path=path)

    assert refused == [BadKey().code, NotFound("").code or "404"]
