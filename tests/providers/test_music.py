"""What the numbers of sellers of music mean: whose matter a refusal is, inside a status 200 and as the status."""

import json

import pytest

from tokengate.providers.load import provider_of


@pytest.mark.parametrize(
    ("name", "code", "status", "kind"),
    [
        ("cqtai", 400, 400, "request"),
        ("cqtai", 401, 502, "auth"),
        ("cqtai", 402, 503, "quota"),
        ("cqtai", 429, 429, "limited"),
        ("cqtai", 500, 502, "status"),
        ("sunoapi", 400, 400, "request"),
        ("sunoapi", 401, 502, "auth"),
        ("sunoapi", 402, 503, "quota"),
        ("sunoapi", 405, 429, "limited"),
        ("sunoapi", 413, 413, "request"),
        ("sunoapi", 422, 422, "request"),
        ("sunoapi", 429, 503, "quota"),
        ("sunoapi", 430, 429, "limited"),
        ("sunoapi", 455, 502, "status"),
        ("sunoapi", 500, 502, "status"),
        ("sunoapi", 531, 502, "status"),
    ],
)
def test_every_number_has_its_meaning(name: str, code: int, status: int, kind: str) -> None:
    body = json.dumps({"code": code, "msg": "They say why.", "data": None}).encode()

    failure = provider_of(name).failure_inside({}, body)

    assert failure is not None
    assert (failure.status, failure.kind) == (status, kind)
    assert kind in ("auth", "quota") or failure.message == "They say why."


def test_a_number_as_the_status_means_the_same() -> None:
    body = json.dumps({"code": 430, "msg": "Too often.", "data": None}).encode()

    assert provider_of("sunoapi").failure(430, {}, body).kind == "limited"
