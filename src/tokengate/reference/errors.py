"""The error tree of `core/errors.py` as the portal and the OpenAPI document show it.

The tree is walked, not listed: a class that is added there is on the page, with its words from `data/statuses.toml`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from msgspec import Struct

from tokengate.core import errors
from tokengate.core.errors import GatewayError
from tokengate.reference.words import NO_TEXT, StatusWords, Text, status_words

ErrorBody = dict[str, dict[str, Any]]

# What an operation can answer besides success: sets of classes of the tree.
_SETS: dict[str, tuple[str, ...]] = {
    "key": ("BadKey", "Forbidden", "Unavailable"),
    "portal": ("BadKey", "Unavailable"),
    "call": (
        "BadKey",
        "InsufficientBalance",
        "BudgetExhausted",
        "Forbidden",
        "ModelNotFound",
        "BodyTimeout",
        "Conflict",
        "BodyTooLarge",
        "UnsupportedMediaType",
        "KeyReused",
        "RateLimited",
        "UpstreamFailed",
        "Unavailable",
        "UpstreamTimeout",
    ),
}


class Status(Struct, frozen=True):
    """One class of errors: its status, type and code, its words, and a body as a caller gets it."""

    name: str
    depth: int  # in the tree
    status: int
    type: str
    code: str | None
    words: StatusWords
    example: ErrorBody
    sample: GatewayError


@cache
def statuses() -> tuple[Status, ...]:
    """Return every class of the tree, as it is drawn, the defect of the gateway last."""
    return (*_walk(GatewayError, 0), _status(GatewayError, 0))


@cache
def status_of(name: str) -> Status:
    """Return a class of errors by its name."""
    return next(status for status in statuses() if status.name == name)


def statuses_of(names: Iterable[str]) -> tuple[Status, ...]:
    """Return what the names and sets of an operation stand for, by status. A query can be wrong anywhere."""
    found = dict.fromkeys(("BadRequest", *(one for name in names for one in _SETS.get(name, (name,)))))
    return tuple(sorted((status_of(name) for name in found), key=lambda status: status.status))


def _walk(parent: type[GatewayError], depth: int) -> Iterator[Status]:
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield _status(child, depth)
            yield from _walk(child, depth + 1)


def _status(kind: type[GatewayError], depth: int) -> Status:
    words = status_words().get(kind.__name__, _plain(kind))
    sample = _SAMPLES.get(kind.__name__)
    if sample is None:
        status, type_, code, message, param = kind.status, kind.type, kind.code, words.title.en, None
    else:
        status, type_, code, message, param = sample.status, sample.type, sample.code, sample.message, sample.param
    body = {"message": message, "type": type_, "param": param, "code": code}
    shown = sample or GatewayError(message)
    return Status(kind.__name__, depth, status, type_, code, words, {"error": body}, shown)


# Errors as a caller may meet them; a class without one shows its title for a message.
_SAMPLES: dict[str, GatewayError] = {
    type(sample).__name__: sample
    for sample in (
        GatewayError("The gateway has a defect; the operator has been told."),
        errors.BadRequest("'temperature' must be a number from 0 to 2.", param="temperature"),
        errors.Unsupported("deepseek", "logit_bias"),
        errors.BadKey(),
        errors.InsufficientBalance(needed_nano=1_250_000_000, available_nano=310_000_000, instead="lower max_tokens"),
        errors.BudgetExhausted(5_000_000_000, "day", 1_795_046_400),
        errors.Forbidden("The model 'xiaowei' has no price set, so it cannot be called.", param="model"),
        errors.NotFound("Unknown request URL: GET /v1/unknown."),
        errors.ModelNotFound("gpt-9"),
        errors.MethodNotAllowed("PUT", "POST"),
        errors.BodyTimeout("The request body did not arrive within 30 s."),
        errors.Conflict("A call with this Idempotency-Key is still running.", retry_after_s=1),
        errors.BodyTooLarge(52_428_800),
        errors.UnsupportedMediaType("text/plain"),
        errors.KeyReused("This Idempotency-Key was used with another request body.", param="Idempotency-Key"),
        errors.RateLimited("Too many requests: 60 per minute are allowed.", retry_after_s=12),
        errors.ClientGone(),
        errors.UpstreamFailed("The upstream 'openai' refused the connection.", kind="connect"),
        errors.Unavailable("Every backend of 'gpt-5' is cooling down after failures.", code="backends_cooling_down"),
        errors.UpstreamTimeout("The upstream did not answer within 60 s.", stage="first"),
    )
}


def _plain(kind: type[GatewayError]) -> StatusWords:
    title = _title(kind)
    meaning = (kind.__doc__ or title).partition("\n")[0]
    return StatusWords(Text(title, title), Text(meaning, meaning), NO_TEXT)


def _title(kind: type[GatewayError]) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
    return spaced.strip().capitalize()
