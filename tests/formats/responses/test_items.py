"""Input items by their ids: named, put in their place, and listed."""

import json
from typing import Any

from msgspec import Raw

from tests.formats.responses.samples import chat_of
from tokengate.core.parts import Data, Image, Text
from tokengate.formats.responses.items import id_of, items_with_ids, referenced, resolved

OURS = "019aa5d3c1f8a1b2c3d4e5f60718293a"


def raw(**members: Any) -> Raw:
    return Raw(json.dumps(members).encode())


def listed(*items: Raw) -> list[dict[str, Any]]:
    return [json.loads(bytes(item)) for item in items_with_ids(list(items), "c1")]


def test_an_item_is_named_with_and_without_the_type() -> None:
    items = [raw(type="item_reference", id="a"), raw(id="b"), raw(role="user", content="x", id="c"), Raw(b"7")]

    assert referenced(items) == ["a", "b"]


def test_what_is_known_takes_the_place_of_its_name() -> None:
    known = raw(type="message", role="user", content="hi", id="a")
    items = [raw(type="item_reference", id="a"), raw(type="item_reference", id="b"), raw(role="user", content="x")]

    assert resolved(items, {"a": known}) == [known, items[1], items[2]]


def test_listed_items_have_a_type_an_id_and_parts() -> None:
    user, assistant, own = listed(
        raw(role="user", content="a"),
        raw(role="assistant", content="b"),
        raw(type="function_call_output", call_id="x", output="y", id="fco_1"),
    )

    assert user == {
        "id": "msg_c1i00",
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "a"}],
    }
    assert assistant["content"] == [{"type": "output_text", "text": "b", "annotations": [], "logprobs": []}]
    assert (own["id"], own["status"], own["output"]) == ("fco_1", "completed", "y")


def test_an_items_id_is_empty_when_it_has_none() -> None:
    assert (id_of(raw(id="a")), id_of(raw(role="user")), id_of(Raw(b"null"))) == ("a", "", "")


def test_what_the_gateway_told_of_another_vendors_search_is_not_sent_back() -> None:
    ours = {"type": "web_search_call", "id": f"ws_{OURS}01", "status": "completed", "action": {"type": "search"}}
    theirs = ours | {"id": "ws_" + "0" * 48}

    chat = chat_of(input=[{"role": "user", "content": "a"}, ours, {"role": "user", "content": "b"}])
    other = chat_of(input=[{"role": "user", "content": "a"}, theirs, {"role": "user", "content": "b"}])

    assert [message.parts for message in chat.messages] == [(Text("a"),), (Text("b"),)]
    assert len(other.messages) == 3


def test_a_picture_that_another_vendor_drew_is_a_picture_again() -> None:
    drawn = {"type": "image_generation_call", "id": f"ig_{OURS}00", "status": "completed"}
    item = drawn | {"result": "iVBORw0KGgo=", "output_format": "webp"}

    chat = chat_of(input=[{"role": "user", "content": "a"}, item, {"role": "user", "content": "b"}])

    assert chat.messages[1].role == "assistant"
    assert chat.messages[1].parts == (Image(Data("image/webp", "iVBORw0KGgo=")),)
