"""What is checked of every sample: the answer that it shows, and what reached the model's vendor."""

import json
from typing import Any

from tests.samples.extracted import read_request
from tests.samples.kinds import CANCELS, FORMS, FORWARDED, REWORDED, SERVED, UNSENT, Kind, same_content
from tests.samples.portal import FILES, Portal, Sample, plainly
from tests.samples.programs import run
from tests.samples.variants import Variant
from tests.simulators.openai_upstream import Call


def check_run(portal: Portal, variant: Variant, kind: Kind) -> None:
    """Run the sample of a kind; it shows what the gateway answers to the request that it stands for."""
    sample = portal.samples(kind)[variant.id]
    portal.put_back(kind)
    expected = plainly(portal.request(kind))
    made = portal.at_its_end(kind, expected)
    portal.put_back(kind)
    filled = Sample(sample.file, portal.filled(sample.code, kind))
    before = portal.calls()

    printed = run(variant.id, filled, portal.programs / variant.id / kind.id, portal.key_for(kind))

    if variant.operations:
        assert same_content(kind, printed, made), f"{printed[:2000]!r} instead of {made[:2000]!r}"
    else:
        assert SERVED[kind.operation](printed, expected), f"{printed[:2000]!r} instead of {expected[:2000]!r}"
        portal.at_its_end(kind, printed)
    check_sent(portal, kind, portal.calls_since(before), exactly=not variant.operations)


def check_sent(portal: Portal, kind: Kind, calls: list[Call], *, exactly: bool) -> None:
    """See that the vendor was sent what the page's example says; SDKs add to it and may write it otherwise."""
    text = portal.requests[kind]["body"]
    if kind.operation in CANCELS:
        assert [call.path.rpartition("/")[2] for call in calls] == ["cancel"]
        return
    if text is None or kind.operation in UNSENT:
        assert calls == []
        return
    assert len(calls) == 1
    if kind.operation in REWORDED:
        return
    if kind.operation in FORMS:
        form, asked = calls[0].body, json.loads(text)
        assert b'name="image"' in form or "image" not in asked
        assert asked.get("prompt", "").encode() in form
        assert all(FILES[value[1:]] in form for value in asked.values() if str(value).startswith("@"))
        return
    asked, sent = json.loads(text), calls[0].json
    if kind.operation not in FORWARDED:
        assert _said(asked) == _said(sent)
        return
    if kind.stream:
        for body in (asked, sent):
            body.pop("stream_options", None)  # the gateway wants the usage itself
    if exactly:
        assert sent == asked
    else:
        assert sent | _as_sdks_write(asked, sent) == sent


def _said(body: dict[str, Any]) -> list[str]:
    """Return the texts of a request to a model, in whatever format it is written."""
    if isinstance(body.get("input"), str | list):
        items: list[Any] = [body["input"]] if isinstance(body["input"], str) else body["input"]
        return [text for item in items for text in _texts(item if isinstance(item, str) else item["content"])]
    if "contents" in body or "requests" in body or "content" in body:
        contents = body.get("contents") or [one["content"] for one in body.get("requests", [body])]
        return [part["text"] for content in contents for part in content["parts"]]
    inner = body.get("input", body)
    if "texts" in inner:
        return inner["texts"]
    if "contents" in inner:
        return [part["text"] for part in inner["contents"]]
    if "documents" in inner:
        return [inner["query"], *inner["documents"]]
    return _texts(inner["messages"][-1]["content"])


def _texts(content: str | list[dict[str, Any]]) -> list[str]:
    """Return the texts of what a message says."""
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


def _as_sdks_write(asked: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked as LangChain writes it: a list of inputs, and the newer name of `max_tokens`."""
    written = dict(asked)
    if isinstance(sent.get("input"), list) and isinstance(asked["input"], str):
        written["input"] = [asked["input"]]
    if "max_completion_tokens" in sent and "max_tokens" in asked:
        written["max_completion_tokens"] = written.pop("max_tokens")
    return written


def check_replayed(portal: Portal, variant: Variant, kind: Kind) -> None:
    """Read the request out of a sample and send it; it is answered like the request that the sample stands for."""
    sample = portal.samples(kind)[variant.id]
    portal.put_back(kind)
    expected = plainly(portal.request(kind))
    portal.at_its_end(kind, expected)
    portal.put_back(kind)
    asked = portal.request(kind)
    before = portal.calls()

    read = read_request(variant.id, portal.filled(sample.code, kind), portal.key_for(kind))

    assert (read.method, read.url, _types(read.headers)) == (asked.method, asked.url, _types(asked.headers))
    answer = plainly(read)
    assert SERVED[kind.operation](answer, expected), f"{answer[:2000]!r} instead of {expected[:2000]!r}"
    portal.at_its_end(kind, answer)
    check_sent(portal, kind, portal.calls_since(before), exactly=True)


def _types(headers: dict[str, str]) -> dict[str, str]:
    """Return headers by their names in small letters; the character set of JSON is always the same."""
    return {name.lower(): value.removesuffix("; charset=utf-8") for name, value in headers.items()}
