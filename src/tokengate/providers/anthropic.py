"""Anthropic, in its own format.

What a model takes depends on its generation, which its name tells.
https://platform.claude.com/docs/en/build-with-claude/thinking and .../effort and .../models, 2026-11
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from tokengate.core.http import HttpRequest, Timeouts
from tokengate.formats.anthropic.abilities import PLAIN, Abilities
from tokengate.formats.anthropic.format import AnthropicFormat
from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError

# claude-opus-4-6, claude-sonnet-4-5-20250929, claude-3-7-sonnet-latest; a date is no version.
_NEW_NAME: Final = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_OLD_NAME: Final = re.compile(r"claude-(\d)(?:[-.](\d{1,2}))?-([a-z]+)")

_SYSTEM_TURNS_SINCE: Final = {"opus": (4, 8), "fable": (5, 0), "mythos": (5, 0)}
_MUST_THINK_SINCE: Final = {"opus": (5, 5), "fable": (5, 0), "mythos": (5, 0)}

_STATUS_OF_TYPE: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# Both come as invalid_request_error with status 400, and are about the operator's account.
_ACCOUNT_IS_EMPTY: Final = ("your credit balance is too low", "you have reached your specified")


@lru_cache(maxsize=256)
def abilities_of(model: str) -> Abilities:
    """Return what a model of Anthropic's takes; a name without a generation is any server's, of which nothing is
    known."""
    if new := _NEW_NAME.search(model):
        family, version = new[1], (int(new[2]), int(new[3] or 0))
    elif old := _OLD_NAME.search(model):
        family, version = old[3], (int(old[1]), int(old[2] or 0))
    else:
        return PLAIN
    efforts: tuple[str, ...] = ()
    if version >= (4, 6) or (family, version) == ("opus", (4, 5)):
        efforts = ("low", "medium", "high")
    if version >= (4, 7):
        efforts = (*efforts, "xhigh")
    if version >= (4, 6):
        efforts = (*efforts, "max")
    return Abilities(
        adaptive=version >= (4, 6),
        budget=(3, 7) <= version < (4, 7),
        efforts=efforts,
        must_think=version >= _MUST_THINK_SINCE.get(family, (99, 0)),
        sampling=version < (4, 7),
        temperature_and_top_p=version < (4, 1),
        json_schema=version >= (4, 5) or (family, version) == ("opus", (4, 1)),
        system_turns=version >= _SYSTEM_TURNS_SINCE.get(family, (99, 0)),
    )


class Anthropic(OpenAICompatible, frozen=True, kw_only=True):
    """Speaks Messages, with the key in a header of its own."""

    def request(
        self,
        path: str,
        body: bytes,
        *,
        credential: str,
        base_url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> HttpRequest:
        """Return a POST, or a GET when there is no body. The address may end with the version or not."""
        own = {"x-api-key": credential} if credential else {}
        base = base_url.rstrip("/").removesuffix("/v1")
        return super().request(path, body, credential="", base_url=base, headers={**own, **headers}, timeouts=timeouts)

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is; an account without money is a 400 here."""
        if status == 400 and error.message.lower().startswith(_ACCOUNT_IS_EMPTY):
            return "quota"
        return super().kind_of(status, error, wait_s)

    def status_of(self, error: VendorError) -> int:
        """Return the status that an error inside a stream should have had."""
        return _STATUS_OF_TYPE.get(error.type or "", 500)


PROVIDER = Anthropic(
    name="anthropic",
    title="Anthropic",
    base_url="https://api.anthropic.com",
    key_env="ANTHROPIC_API_KEY",
    vendors=("anthropic",),
    spoken=(AnthropicFormat(abilities=abilities_of),),
    embedding=None,
    quota_codes=frozenset({"billing_error"}),
)
