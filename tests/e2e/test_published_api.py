"""What the published document says holds for the running gateway, whatever is sent: no 5xx, no undocumented answer.

schemathesis makes requests from `/openapi.json`, good and bad ones, against a gateway with a simulated upstream.
"""

# schemathesis leaves many of its own types open.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportAttributeAccessIssue=false

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example)
_MODEL = "ours"
# Models that are called like the end of the path where they are asked, and their kinds.
_PICTURES = dict.fromkeys(("generation", "edit", "variation"), "image")
_OTHERS = {kind: kind for kind in ("embedding", "rerank", "moderation")} | _PICTURES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Hosted]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, _MODEL, *_OTHERS) + sells(_MODEL)
        config += "".join(sells(name, kind=kind) for name, kind in _OTHERS.items())
        async with hosted(tmp_path_factory.mktemp("published"), config, balances={"main": "1000000"}) as gateway:
            yield gateway


async def test_every_route_is_published_and_everything_published_is_routed(gateway: Hosted) -> None:
    document = (await gateway.get("/openapi.json")).json

    published = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routed = {(endpoint.path, endpoint.method) for endpoint in gateway.platform.dispatch.endpoints}
    assert published == routed
    for endpoint in gateway.platform.dispatch.endpoints:
        assert endpoint.base in endpoint.operation.bases


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_published_document_is_valid(gateway: Hosted, lang: str) -> None:
    document = (await gateway.get(f"/openapi.json?lang={lang}")).json

    schemathesis.openapi.from_dict(document).validate()


async def test_every_operation_may_be_asked_with_a_query_that_cannot_be(gateway: Hosted) -> None:
    document = (await gateway.get("/openapi.json")).json

    answer = await gateway.get("/v1/results/job/name?a=%00")

    assert answer.status == 400
    told = [one["responses"] for methods in document["paths"].values() for one in methods.values()]
    assert all("400" in responses for responses in told)


@pytest.mark.timeout(300)
async def test_the_gateway_keeps_to_its_document(gateway: Hosted) -> None:
    await _try_all(gateway, examples=4)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_the_gateway_keeps_to_its_document_for_long(gateway: Hosted) -> None:
    await _try_all(gateway, examples=30)
    await _try_all(gateway, examples=2, everything=True)


async def _try_all(gateway: Hosted, *, examples: int, everything: bool = False) -> None:
    document = (await gateway.get("/openapi.json")).json
    key = gateway.headers()["authorization"]
    await asyncio.to_thread(_exercise, document, gateway.url, key, examples, everything)


def _exercise(document: dict[str, Any], url: str, key: str, examples: int, everything: bool) -> None:
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation: Any = found.ok()
        if not everything and "@" in operation.definition.raw["operationId"]:
            continue  # another base of an operation that is tried under its first one
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _exercise_operation(operation, mode, url, key, examples)


def _exercise_operation(operation: Any, mode: GenerationMode, url: str, key: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=_SLOW)
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Case) -> None:
        body: object = case.body
        if mode is GenerationMode.POSITIVE and isinstance(body, dict) and "model" in body:
            last = case.path.rpartition("/")[2].removesuffix("s").rpartition("-")[2]
            body["model"] = last if last in _OTHERS else _MODEL
        response = case.call(base_url=url, headers={"authorization": key, "host": urlsplit(url).netloc})
        case.validate_response(response, checks=_CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing about the operation can be wrong
        run()
