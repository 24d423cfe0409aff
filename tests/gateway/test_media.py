"""Files named by address are put into the request, wherever they stand in it, each fetched once."""

import base64

import pytest

from tokengate.core.chat import Chat, Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Data, Image, Text, ToolResult, Url, Video
from tokengate.core.wire import Inlined
from tokengate.gateway.media import inlined, needs_fetching

CAT, DOG = Image(Url("https://a.example/cat.png")), Image(Url("https://a.example/dog.png"))


def chat(*parts: Image | Text | Video | ToolResult) -> Chat:
    return Chat(format="openai", model="m", messages=(Message("user", parts),))


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

    told = await inlined(asked, web.fetch)

    cat, dog = data("https://a.example/cat.png"), data("https://a.example/dog.png")
    assert sorted(web.fetched) == ["https://a.example/cat.png", "https://a.example/dog.png"]
    assert told.messages[0].parts == (
        Image(cat),
        Text("and"),
        Image(cat),
        ToolResult("call_1", (Image(dog),)),
        Video((cat, dog), whole=False),
    )
    assert not needs_fetching(told)


def test_what_is_inside_or_at_a_vendors_own_address_needs_no_fetching() -> None:
    assert not needs_fetching(chat(Image(Data("image/png", "AAAA")), Image(Url("oss://bucket/cat.png"))))
    assert needs_fetching(chat(CAT))


async def test_a_file_that_is_not_there_is_the_callers_fault() -> None:
    with pytest.raises(BadRequest, match="not there"):
        await inlined(chat(CAT, Image(Url("https://a.example/missing"))), Web().fetch)


async def test_too_many_files_are_refused() -> None:
    web = Web()

    with pytest.raises(BadRequest, match="at most 64"):
        await inlined(chat(*(Image(Url(f"https://a.example/{n}")) for n in range(65))), web.fetch)

    assert web.fetched == []
