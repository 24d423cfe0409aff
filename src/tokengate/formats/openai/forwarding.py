"""Whether a request in OpenAI's chat format may go to a vendor of that format byte for byte.

It may when everything in it means the same there. A vendor that lacks a parameter often leaves it out without a word,
or spells it otherwise; such a request passes through the vocabulary, which writes, refuses or drops it by name.
"""

from collections.abc import Mapping, Set
from functools import lru_cache

import msgspec

from tokengate.core.splice import Members
from tokengate.formats.openai.dialect import ALL_MODES, Dialect, Range, ReasoningSpelling, SearchSpelling
from tokengate.formats.openai.requests import RESULT_MEDIA

# An effort alone does not turn thinking on where there is a switch.
_SPELLINGS: Mapping[ReasoningSpelling, frozenset[str]] = {
    "effort": frozenset({"reasoning_effort"}),
    "thinking": frozenset({"thinking"}),
    "enable_thinking": frozenset({"enable_thinking", "thinking_budget"}),
    "template": frozenset({"chat_template_kwargs", "thinking_token_budget", "include_reasoning"}),
    "object": frozenset({"reasoning"}),
}
_REASONING = frozenset(name for names in _SPELLINGS.values() for name in names)
_SEARCHES: Mapping[SearchSpelling | None, frozenset[str]] = {
    None: frozenset(),
    "web_search_options": frozenset({"web_search_options"}),
    "enable_search": frozenset({"enable_search", "search_options"}),
}
_SEARCHING = frozenset(name for names in _SEARCHES.values() for name in names)

# Words of the vocabulary to the parameters that say them; other words have the name of their parameter.
_PARAMETERS: Mapping[str, frozenset[str]] = {
    "logprobs": frozenset({"logprobs", "top_logprobs"}),
    "effort": frozenset({"reasoning_effort"}),
    "budget": frozenset({"thinking_budget", "thinking_token_budget"}),
    "user": frozenset({"user", "safety_identifier"}),
    "audio_out": frozenset({"audio"}),
    "canvas": frozenset({"image_config"}),
    "translation": frozenset({"translation_options"}),
    "high_resolution_images": frozenset({"vl_high_resolution_images"}),
}
# Kinds of media to the types of parts that hold them.
_MEDIA: Mapping[str, tuple[str, ...]] = {
    "image": ("image_url",),
    "audio": ("input_audio", "audio_url"),
    "video": ("video_url",),
    "frames": ("video",),
    "file": ("file",),
}
_DEFAULTS: Mapping[str, bytes] = {"n": b"1", "logprobs": b"false"}  # which say nothing new
_WEB = b'"http'
_STOP_TOKENS = "stop_token_ids"


def forwards(dialect: Dialect, members: Members, said: Set[str]) -> bool:
    """Say whether a request may be forwarded to a vendor with this dialect; `said` is what `ChatRequest` notes of its
    messages. Of a server that lacks nothing nothing is known, and it is asked in the caller's own words."""
    if not dialect.lacks:
        return True
    if _rewritten(dialect):
        return False
    foreign = _foreign(dialect.lacks, dialect.reasoning, dialect.search, dialect.stop_tokens)
    names = members.names()
    if not foreign.isdisjoint(names) and any(_says(members, name) for name in foreign & names):
        return False
    if not _in_range(dialect.ranges, members):
        return False
    if not said.isdisjoint(_unsaid(dialect.media, dialect.partial, dialect.developer, dialect.cache_marks)):
        return False
    if dialect.inline_media and not said.isdisjoint(_fetched(dialect.inline_media)) and _WEB in members.body:
        return False
    if not dialect.text_lists and "text" in said:
        return False
    tools = members.get("tools")
    if tools is not None and any(word in tools for word in _untooled(dialect)):
        return False
    return _chooses(dialect, members)


def _rewritten(dialect: Dialect) -> bool:
    """Say whether every request, or every reply, needs another spelling."""
    return bool(
        dialect.always
        or dialect.draws
        or dialect.think_text
        or dialect.whole_details
        or dialect.finish_reasons
        or dialect.no_thought
    )


@lru_cache(maxsize=64)
def _foreign(
    lacks: frozenset[str], reasoning: ReasoningSpelling, search: SearchSpelling | None, stop_tokens: str | None
) -> frozenset[str]:
    """Return the parameters that the vendor does not have."""
    missing = {name for word in lacks for name in _PARAMETERS.get(word, (word,))}
    if stop_tokens != _STOP_TOKENS:
        missing.add(_STOP_TOKENS)
    return frozenset(missing) | (_REASONING - _SPELLINGS[reasoning]) | (_SEARCHING - _SEARCHES[search])


def _says(members: Members, name: str) -> bool:
    """Say whether a parameter asks for anything."""
    value = members.get(name)
    return value != b"null" and value != _DEFAULTS.get(name)


def _in_range(ranges: Mapping[str, Range], members: Members) -> bool:
    for name, limits in ranges.items():
        value = members.get(name)
        if value is not None and value != b"null":
            number = _decode_number(value)
            if limits.above(number) or limits.below(number):
                return False
    return True


@lru_cache(maxsize=64)
def _unsaid(media: frozenset[str], partial: str | None, developer: bool, marks: bool) -> frozenset[str]:
    """Return the roles, types of parts and members that the vendor does not have."""
    types = {one for kind, found in _MEDIA.items() if kind not in media for one in found}
    beginnings = {name for name in ("partial", "prefix") if name != partial}
    others = {"developer": not developer, "cache_control": not marks, RESULT_MEDIA: True}
    return frozenset(types | beginnings | {name for name, is_lacking in others.items() if is_lacking})


@lru_cache(maxsize=64)
def _fetched(kinds: frozenset[str]) -> frozenset[str]:
    """Return the types of parts that the vendor would have to fetch."""
    return frozenset(one for kind in kinds for one in _MEDIA[kind])


def _untooled(dialect: Dialect) -> list[bytes]:
    """Return what stands in definitions of tools that the vendor does not have."""
    return [
        *([] if dialect.custom_tools else [b'"custom"']),
        *([] if dialect.cache_marks else [b'"cache_control"']),
        *([b'"strict"'] if "strict" in dialect.lacks else []),
    ]


def _chooses(dialect: Dialect, members: Members) -> bool:
    """Say whether the vendor has this choice of tools, and this form of an answer."""
    choice = members.get("tool_choice")
    if choice is not None and dialect.tool_choice != ALL_MODES and choice not in (b"null", b'"auto"'):
        return False
    if choice is not None and not dialect.allowed_tools and b'"allowed_tools"' in choice:
        return False
    form = members.get("response_format")
    return form is None or "json_schema" not in dialect.lacks or b'"json_schema"' not in form


_decode_number = msgspec.json.Decoder(float).decode
