import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import UpstreamFailed
from tokengate.core.usage import Usage
from tokengate.formats.openai.replies import add_twins, read_error, read_reply, rename_model
from tokengate.formats.openai.usage import read_usage, write_usage

SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
REPLIES = sorted(SEEDS.glob("???-reply-*.json"))

# What each product page prints: input, output, reasoning.
PRINTED = {
    "000-reply-1.json": (931, 3, 0),
    "001-reply-1.json": (13, 257, 0),
    "002-reply-1.json": (20, 8, 0),
    "002-reply-2.json": (258, 328, 0),
    "002-reply-3.json": (758, 68, 0),
    "002-reply-4.json": (896, 44, 0),
    "002-reply-5.json": (1466, 278, 0),
    "003-reply-1.json": (11, 13, 205),
    "004-reply-1.json": (2509, 34, 0),
}


def usage_of(report: dict[str, Any], *, reasoning_outside: bool = False) -> Usage:
    reported = read_usage(json.dumps(report).encode(), reasoning_outside=reasoning_outside)
    assert reported is not None
    return reported.usage


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name)
def test_the_replies_of_the_product_pages_are_read(path: Path):
    reply = read_reply(path.read_bytes())

    prompt, output, reasoning = PRINTED[path.name]
    assert reply.usage is not None
    assert reply.usage.usage == Usage(input=prompt, output=output, reasoning=reasoning)
    assert json.loads(reply.usage.raw) == json.loads(path.read_bytes())["usage"]
    assert reply.has_content
    assert reply.finish_reasons == ("stop",)
    assert reply.error is None


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name)
def test_a_rename_changes_only_the_models_name(path: Path):
    body = path.read_bytes()
    theirs = json.loads(body)["model"]

    renamed = rename_model(body, "我们的/model")

    assert renamed == body.replace(f'"model": "{theirs}"'.encode(), '"model": "我们的/model"'.encode(), 1)
    assert rename_model(read_reply(body).body, "我们的/model") == renamed


def test_a_nested_model_keeps_its_name():
    body = b'{"moderation":{"model":"a"},"choices":[{"model":"a"}],"model":"a"}'

    assert rename_model(body, "b") == b'{"moderation":{"model":"a"},"choices":[{"model":"a"}],"model":"b"}'
    assert rename_model(b'{"choices":[{"model":"a"}]}', "b") == b'{"choices":[{"model":"a"}]}'
    assert rename_model(b'{"object":"model","id":1}', "b") == b'{"object":"model","id":1}'
    assert rename_model(b'{"id":"{","model":"a"}', "b") == b'{"id":"{","model":"b"}'
    assert rename_model(b'{"model" : null}', "b") == b'{"model" : "b"}'


@pytest.mark.parametrize(
    ("report", "buckets"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20, "audio_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 40, "audio_tokens": 4},
            },
            Usage(input=45, cache_read=30, cache_write_5m=20, audio_in=5, output=6, reasoning=40, audio_out=4),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 1,
                "prompt_tokens_details": {
                    "image_tokens": 60,
                    "video_tokens": 10,
                    "text_tokens": 30,
                    "cache_creation_input_tokens": 25,
                    "cache_creation": {"ephemeral_5m_input_tokens": 25},
                },
            },
            Usage(input=5, image_in=60, video_in=10, cache_write_5m=25, output=1),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 1,
                "prompt_tokens_details": {
                    "cache_creation_input_tokens": 25,
                    "cache_creation": {"ephemeral_1h_input_tokens": 10},
                },
            },
            Usage(input=75, cache_write_5m=15, cache_write_1h=10, output=1),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2},
            Usage(input=2, cache_read=8, output=2),
        ),
        ({"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(input=1, output=2)),
        ({"prompt_tokens": 1, "completion_tokens": 2, "completion_tokens_details": {}}, Usage(input=1, output=2)),
        ({"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": []}, Usage(input=1, output=2)),
        ({"prompt_tokens": 8, "total_tokens": 8}, Usage(input=8)),
        ({"prompt_tokens": 8, "total_tokens": 10}, Usage(input=8, output=2)),
        ({"total_tokens": 10}, Usage(input=10)),
        ({"completion_tokens": 3, "total_tokens": 10}, Usage(input=7, output=3)),
        ({"prompt_tokens": 5.0, "completion_tokens": None}, Usage(input=5)),
        ({"prompt_tokens": -5, "completion_tokens": 2}, Usage(output=2)),
        ({"prompt_tokens": 10**30, "completion_tokens": 2}, Usage(output=2)),
        ({"prompt_tokens": "12", "completion_tokens": 2}, Usage(output=2)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, Usage()),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "plugins": {"search": {"count": 3}}},
            Usage(input=9, output=2, search=3),
        ),
    ],
)
def test_usage_is_read_into_disjoint_buckets(report: dict[str, Any], buckets: Usage):
    assert usage_of(report) == buckets


def test_reasoning_outside_of_the_completion_is_added():
    report = {
        "prompt_tokens": 10120,
        "completion_tokens": 1499,
        "total_tokens": 14428,
        "prompt_tokens_details": {"cached_tokens": 128},
        "completion_tokens_details": {"reasoning_tokens": 2809},
    }

    usage = usage_of(report, reasoning_outside=True)

    assert usage == Usage(input=9992, cache_read=128, output=1499, reasoning=2809)
    assert usage.input_total + usage.output_total == 14428


@pytest.mark.parametrize("raw", [b"null", b"{}", b"[]", b'"x"', b"{", b'{"a":1}', b'{"prompt_tokens":1e400}'])
def test_what_says_nothing_is_no_usage(raw: bytes):
    assert read_usage(raw) is None


_counts = st.integers(0, 5000)
_details = st.dictionaries(
    st.sampled_from(
        ["cached_tokens", "cache_write_tokens", "image_tokens", "video_tokens", "audio_tokens", "reasoning_tokens"]
    ),
    _counts,
)


@given(_counts, _counts, _details, _details)
@settings(max_examples=100, deadline=None)
def test_the_buckets_of_a_side_add_up_to_its_total(
    prompt: int, completion: int, prompt_details: dict[str, int], completion_details: dict[str, int]
):
    usage = usage_of(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": prompt_details,
            "completion_tokens_details": completion_details,
        }
    )

    assert usage.input_total == prompt
    assert usage.output_total == completion
    assert min(getattr(usage, name) for name in Usage.__struct_fields__) >= 0


def test_written_usage_reads_back():
    usage = Usage(input=7, cache_read=3, output=5, reasoning=2)

    assert usage_of(write_usage(usage)) == usage


@pytest.mark.parametrize(
    ("message", "has_content"),
    [
        ({"role": "assistant", "content": "x"}, True),
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None, "tool_calls": [], "refusal": None}, False),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, True),
        ({"role": "assistant", "content": None, "refusal": "no"}, True),
        ({"role": "assistant", "content": "", "reasoning_content": "hm"}, True),
        ({"role": "assistant", "content": "", "reasoning": "hm"}, True),
        ({"role": "assistant", "audio": {"id": "a", "data": "x"}}, True),
        ({"role": "assistant"}, False),
        (None, False),
    ],
)
def test_an_empty_reply_is_told_from_an_answer(message: Any, has_content: bool):
    body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()

    assert read_reply(body).has_content is has_content


def test_completions_and_embeddings_have_content():
    assert read_reply(b'{"choices":[{"text":"x","finish_reason":"length"}]}').finish_reasons == ("length",)
    assert not read_reply(b'{"choices":[{"text":""}]}').has_content
    assert read_reply(b'{"object":"list","data":[{"embedding":[0.1]}]}').has_content
    assert not read_reply(b'{"object":"list","data":[]}').has_content
    assert not read_reply(b'{"choices":null}').has_content


@pytest.mark.parametrize("name", ["002-error-1.json", "004-error-1.json"])
def test_an_error_inside_a_reply_is_found(name: str):
    body = (SEEDS / name).read_bytes()

    error = read_reply(body).error

    printed = json.loads(body)["error"]
    assert error is not None
    assert (error.message, error.type, error.param, error.code) == (
        printed["message"],
        printed["type"],
        printed["param"],
        printed["code"],
    )


@pytest.mark.parametrize(
    ("raw", "message", "code"),
    [
        (b'{"message":"busy","code":503}', "busy", "503"),
        (b'"busy"', "busy", None),
        (b"{}", "The upstream sent an error.", None),
        (b"[1]", "The upstream sent an error.", None),
    ],
)
def test_errors_come_in_many_shapes(raw: bytes, message: str, code: str | None):
    error = read_error(raw)

    assert (error.message, error.code) == (message, code)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices":5}', b"\xff"])
def test_an_unreadable_reply_is_an_upstream_failure(body: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        read_reply(body)

    assert caught.value.kind == "invalid"


def test_blank_lines_before_a_reply_are_nothing():
    assert rename_model(read_reply(b"""\n\n\n{"model":"a"}""").body, "b") == b'\n\n\n{"model":"b"}'


@pytest.mark.parametrize(
    ("body", "twinned"),
    [
        (
            b'{"choices": [ {"message": {"reasoning": "a\\n"}} , {"message":{"reasoning_content":"b"}} ] }',
            b'{"choices": [ {"message": {"reasoning": "a\\n","reasoning_content":"a\\n"}} , '
            b'{"message":{"reasoning_content":"b","reasoning":"b"}} ] }',
        ),
        (
            b'{"choices":[{"message":{"reasoning":null,"reasoning_content":"b","content":"c"}}]}',
            b'{"choices":[{"message":{"reasoning":"b","reasoning_content":"b","content":"c"}}]}',
        ),
    ],
)
def test_a_declared_twin_is_added(body: bytes, twinned: bytes):
    assert add_twins(body, "message") == twinned


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices":[{"message":{"reasoning":null,"content":"c"}}]}',
        b'{"choices":[{"message":{"reasoning":"a","reasoning_content":"b"}}]}',
        b'{"choices":[]}',
        b'{"choices":null}',
        b'{"data":[]}',
        b"not json",
    ],
)
def test_what_has_no_twin_to_add_stays_as_it_is(body: bytes):
    assert add_twins(body, "message") == body


_replies = st.sampled_from([path.read_bytes() for path in REPLIES])


@given(_replies, st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_damaged_reply_is_read_or_refused(body: bytes, damages: list[tuple[int, bytes]]):
    for place, damage in damages:
        at = place % len(body)
        body = body[:at] + damage + body[at + len(damage) :]

    try:
        rename_model(read_reply(body).body, "ours")
    except UpstreamFailed as failure:
        assert failure.kind == "invalid"
    add_twins(body, "message")
