"""Files named by address are put into the request, wherever they stand in it, each fetched once."""

import base64

import pytest

from tokengate.core.chat import Chat, Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Data, File, Image, Text, ToolResult, Url, Video
from tokengate.core.wire import Inlined
from tokengate.gateway.media import body_with_uploads, inlined, needs_fetching

CAT, DOG = Image(Url("https://a.example/cat.png")), Image(Url("https://a.example/dog.png"))


def chat(*parts: File | Image | Text | Video | ToolResult) -> Chat:
    return Chat(format="openai", model="m", messages=(Message("user", parts),))


def everything(kind: str, url: str) -> bool:
    return True


class Web:
    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch(self, url: str, limit_bytes: int) -> Inlined:
        self.fetched.append(url)
        if "missing" in url:
            raise BadRequest("The file is not there.", param="messages")
        return Inlined("image/png", url.encode())


def data(url: str) -> Data:
    return Data("image/png", base64.b64encode(url.encode()).decode())


async def test_every_address_is_fetched_once_wherever_it_stands() -> None:
    web = Web()
    asked = chat(CAT, Text("and"), CAT, ToolResult("call_1", (DOG,)), Video((CAT.source, DOG.source), whole=False))

    told = await inlined(asked, web.fetch, everything)

    cat, dog = data("https://a.example/cat.png"), data("https://a.example/dog.png")
    assert sorted(web.fetched) == ["https://a.example/cat.png", "https://a.example/dog.png"]
    assert told.messages[0].parts == (
        Image(cat),
        Text("and"),
        Image(cat),
        ToolResult("call_1", (Image(dog),)),
        Video((cat, dog), whole=False),
    )
    assert not needs_fetching(told, everything)


def test_what_is_inside_or_at_a_vendors_own_address_needs_no_fetching() -> None:
    assert not needs_fetching(chat(Image(Data("image/png", "AAAA")), Image(Url("oss://bucket/cat.png"))), everything)
    assert needs_fetching(chat(CAT), everything)


async def test_what_the_vendor_fetches_by_itself_stays_an_address() -> None:
    web = Web()
    page = File(Url("https://a.example/a.pdf"))

    told = await inlined(chat(CAT, page), web.fetch, lambda kind, url: kind == "file")

    assert web.fetched == ["https://a.example/a.pdf"]
    assert told.messages[0].parts == (CAT, File(data("https://a.example/a.pdf")))
    assert not needs_fetching(chat(CAT), lambda kind, url: kind == "file")


async def test_a_file_that_is_not_there_is_the_callers_fault() -> None:
    with pytest.raises(BadRequest, match="not there"):
        await inlined(chat(CAT, Image(Url("https://a.example/missing"))), Web().fetch, everything)


async def test_too_many_files_are_refused() -> None:
    web = Web()

    with pytest.raises(BadRequest, match="at most 64"):
        await inlined(chat(*(Image(Url(f"https://a.example/{n}")) for n in range(65))), web.fetch, everything)

    assert web.fetched == []


async def read_upload(url: str) -> Inlined:
    if url != "oss://uploads/图.png":
        raise BadRequest("There is no such file.")
    return Inlined("image/png", b"png")


async def test_uploaded_files_take_the_place_of_their_addresses_in_bytes() -> None:
    body = (
        '{"a": "oss://uploads/图.png", "b": ["oss:\\/\\/uploads\\/\\u56fe.png", "oss: a text"],'
        ' "c": "see oss://uploads/图.png"}'
    ).encode()

    found = await body_with_uploads(body, read_upload)

    inside = b'"data:image/png;base64,cG5n"'
    assert found == b'{"a": %b, "b": [%b, "oss: a text"], "c": "see oss://uploads/%b.png"}' % (
        inside,
        inside,
        "图".encode(),
    )


@pytest.mark.parametrize("body", [b'{"a": "oss://x"}', b'{"a": "oss://\xff"}', b'{"a": "oss://\\ud800"}'])
async def test_an_address_in_bytes_that_is_nobodys_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        await body_with_uploads(body, read_upload)


async def test_bytes_without_uploaded_files_stay_the_same() -> None:
    body = b'{"a": "b"}'

    assert await body_with_uploads(body, read_upload) is body
