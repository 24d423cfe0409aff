"""A streamed reply, written for a client; a whole reply is the last thing that such a stream says.

Texts and refusals that follow each other are one message, everything else is an item of its own. An item's end waits
until the next one begins or the reply stops: only then is it known whether it was cut.
"""

from typing import Any, TypeVar, assert_never

from tokengate.core.beside import with_more
from tokengate.core.chat import Chat
from tokengate.core.custom_tools import custom_names
from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.parts import NO_EXTRA, Audio, Data, Extra, FileId, Image, Opaque, Url
from tokengate.core.reply import (
    REPLY,
    Beside,
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Media,
    RefusalDelta,
    Reply,
    SearchResult,
    ServerTool,
    Start,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading
from tokengate.formats.responses.beside import MESSAGE, beside_message
from tokengate.formats.responses.namespaces import places_of, without_namespaces
from tokengate.formats.responses.output import (
    CallItem,
    Frames,
    Item,
    MessageItem,
    ReasoningItem,
    SteppedItem,
    WholeItem,
    read_members,
    without_numbers,
)
from tokengate.formats.responses.replies import WEB_SEARCH, decode_item
from tokengate.formats.responses.response import Envelope, Keeping, status_of
from tokengate.formats.responses.signature import wrap_call
from tokengate.formats.responses.types import NAME

T = TypeVar("T", bound=Item)


class StreamWriter:
    """Implements core.wire.StreamWriter."""

    def __init__(self, heading: Heading, chat: Chat, keeping: Keeping) -> None:
        self.response: dict[str, Any] = {}  # the whole reply, once it ended
        self._heading = heading
        self._customs = custom_names(without_namespaces(chat))
        self._places = places_of(chat)
        self._envelope = Envelope(heading, chat, keeping)
        self._keeping = keeping
        self._frames = Frames(keeping.told)
        self._items: list[Item] = []
        self._by_block: dict[int, Item] = {}
        self._beside: dict[int, Extra] = {}  # members of blocks that have not begun
        self._begun = False
        self._searched = False  # the vendor's own item tells what was found
        self._stop = Stop(0, FinishReason.STOP)

    def write(self, event: Event) -> bytes:
        """Return the event's frames, which may be none."""
        match event:
            case Start():
                self._envelope.service_tier = event.service_tier
                self._begin()
            case Finish():
                self._finish(event.usage.usage if event.usage else None, event.searches)
            case Beside():
                if event.format == NAME:
                    self._keep(event)
            case Failure():
                return self.fail(UpstreamFailed(event.message, kind=event.kind))
            case Stop():
                if event.choice == 0:
                    self._stop = event
                    self._close_items()
            case Step():
                if event.format == NAME:
                    self._step(event)
            case _:
                if event.choice == 0:  # the API has no other
                    self._begin()
                    self._add(event)
        return self._frames.take()

    def _keep(self, event: Beside) -> None:
        """Keep members that nobody knows for the response, or for an item, which may not have begun."""
        item = self._by_block.get(event.block)
        if event.choice == REPLY:
            self._envelope.beside |= event.members
        elif item is not None:
            item.keep(event.block, event.members)
        elif event.block != REPLY:
            self._beside[event.block] = with_more(self._beside.get(event.block, NO_EXTRA), event.members)

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit end of a stream that cannot be whole."""
        self._begin()
        output = [item.whole(item.status if item.closed else "incomplete") for item in self._items]
        self._end("failed", self._envelope.failed(output, error))
        return self._frames.take()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            response = self._envelope.begun()
            if not self._keeping.told:
                self._frames.add("response.created", response=response)
            self._frames.add("response.in_progress", response=response)

    def _add(
        self,
        event: TextDelta
        | RefusalDelta
        | ThinkingDelta
        | ThinkingSignature
        | ToolStart
        | ToolDelta
        | ServerTool
        | CitationAdded
        | LogprobsAdded
        | Media
        | BlockEnd,
    ) -> None:
        block = event.block
        match event:
            case TextDelta():
                self._message(block, event.phase, apart=event.apart).say(block, event.text)
            case RefusalDelta():
                self._message(block).say(block, event.text, refusal=True)
            case CitationAdded():
                self._message(block).cite(block, event.citation)
            case LogprobsAdded():
                self._weigh(event)
            case ThinkingDelta():
                self._reasoning(block).think(event.text, gist=event.summary)
            case ThinkingSignature():
                self._reasoning(block, own_id=event.id if event.format == NAME else "").sign(event)
            case ToolStart():
                self._call(event)
            case ToolDelta():
                item = self._by_block.get(block)
                assert isinstance(item, CallItem), "arguments follow their call"
                item.argue(event.arguments)
            case ServerTool():
                self._opaque(block, event.part)
            case Media():
                self._media(block, event.part)
            case BlockEnd():
                self._end_block(block)
            case _:
                assert_never(event)

    def _message(self, block: int, phase: str = "", *, apart: bool = False) -> MessageItem:
        item = self._by_block.get(block)
        if item is None:
            last = self._items[-1] if self._items else None
            if isinstance(last, MessageItem) and not last.closed and last.phase == phase and not apart:
                item = self._by_block[block] = last
                item.keep(block, self._beside.pop(block, NO_EXTRA))
            else:
                item = self._open(self._new_message(phase), block)
        assert isinstance(item, MessageItem), "a block is of one kind"
        return item

    def _new_message(self, phase: str) -> MessageItem:
        return MessageItem(self._frames, len(self._items), self._id("msg"), phase)

    def _reasoning(self, block: int, own_id: str = "") -> ReasoningItem:
        item = self._by_block.get(block)
        if item is None:
            item = self._open(ReasoningItem(self._frames, len(self._items), own_id or self._id("rs")), block)
        assert isinstance(item, ReasoningItem), "a block is of one kind"
        return item

    def _call(self, start: ToolStart) -> None:
        if start.signature:
            carrier = ReasoningItem(self._frames, len(self._items), self._id("rs"))
            carrier.carry(wrap_call(start.signature))
            self._open(carrier, None)
            carrier.end()
        unwrap = not start.custom and start.name in self._customs
        prefix = "ctc" if start.custom or unwrap else "fc"
        call = CallItem(self._frames, len(self._items), self._id(prefix), start, unwrap=unwrap)
        place = self._places.get(start.name)
        if place is not None:
            call.name, call.namespace = place.name, place.namespace
        self._open(call, start.block)

    def _weigh(self, event: LogprobsAdded) -> None:
        """Add likelihoods to the text they are of; those of a reply without any text are nobody's."""
        item = self._by_block.get(event.block)
        if isinstance(item, MessageItem):
            item.weigh(event.block, event.logprobs)

    def _opaque(self, block: int, part: Opaque) -> None:
        """Add a built-in tool's item, or end the one that was told step by step; another format's cannot be said."""
        if part.format != NAME:
            return
        self._searched = self._searched or part.kind == WEB_SEARCH
        begun = self._by_block.get(block)
        if isinstance(begun, SteppedItem):
            begun.become(part.raw)
        elif part.kind == MESSAGE:  # of parts that nobody knows
            self._beside[block] = beside_message(part.raw)
            self._open(self._new_message(decode_item(part.raw).phase or ""), block)
        else:
            self._open(WholeItem(self._frames, len(self._items), "", part.raw, part.raw), block)

    def _step(self, step: Step) -> None:
        """Tell an event in the vendor's own words, but for numbers and ids."""
        self._begin()
        members: dict[str, Any] = dict(read_members(step.raw))
        if step.block == REPLY:
            self._aside(step.kind, members)
            return
        if step.kind == "response.output_item.added":
            self._open(SteppedItem(self._frames, len(self._items), members["item"]), step.block)
            return
        item = self._by_block.get(step.block)
        if isinstance(item, MessageItem) and "content_index" in members:
            place = item.place(step.block)
            members["content_index"] = members["content_index"] if place is None else place
        if item is not None:
            item.go_on(step.kind, members)

    def _aside(self, kind: str, members: dict[str, Any]) -> None:
        """Tell an event of no item; the response that it may show is ours."""
        response = self._envelope.begun()
        if "response" in members:
            members["response"] = response
        if "response_id" in members:
            members["response_id"] = response["id"]
        self._frames.add(kind, **without_numbers(members))

    def _media(self, block: int, part: Image | Audio) -> None:
        """Add a picture as a picture, and sound as what is said in it: the API has no spoken replies."""
        if isinstance(part, Audio):
            self._message(block).say(block, part.transcript)
            return
        match part.source:
            case Data(media_type, base64):
                item = {"id": self._id("ig"), "type": "image_generation_call"}
                done = {"status": "completed", "result": base64, "output_format": media_type.removeprefix("image/")}
                begun = {**item, "status": "in_progress", "result": None}
                self._open(WholeItem(self._frames, len(self._items), item["id"], begun, {**item, **done}), block)
            case Url(address) | FileId(address):
                self._message(block).say(block, f"![]({address})")
            case _:
                assert_never(part.source)

    def _end_block(self, block: int) -> None:
        item = self._by_block.get(block)
        if item is None:
            return
        if isinstance(item, MessageItem):
            item.end_block(block)
        else:
            item.end()
        if item is not self._items[-1]:
            self._close_when_idle(item)

    def _open(self, item: T, block: int | None) -> T:
        if self._items:
            self._close_when_idle(self._items[-1])
        self._items.append(item)
        if block is not None:
            self._by_block[block] = item
            item.keep(block, self._beside.pop(block, NO_EXTRA))
        item.open()
        return item

    def _close_when_idle(self, item: Item) -> None:
        if item.idle and not item.closed:
            item.close("completed")

    def _close_items(self) -> None:
        for item in self._items:
            if not item.closed:
                cut = status_of(self._stop.finish) != "completed" and item is self._items[-1]
                item.close("incomplete" if cut else "completed")

    def _finish(self, usage: Usage | None, searches: tuple[SearchResult, ...]) -> None:
        self._begin()
        if searches and not self._searched:
            self._found(searches)
        self._close_items()
        output = [item.whole(item.status) for item in self._items]
        finish = self._stop.finish
        response = self._envelope.ended(output, finish, self._stop.native, usage)
        self._end(status_of(finish), response)

    def _found(self, searches: tuple[SearchResult, ...]) -> None:
        """Add the pages that the vendor's own search found."""
        action = {"type": "search", "query": "", "sources": [{"type": "url", "url": one.url} for one in searches]}
        id = self._id("ws")
        item = {"id": id, "type": "web_search_call", "status": "completed", "action": action}
        self._open(WholeItem(self._frames, len(self._items), id, item, item), None)

    def _end(self, status: str, response: dict[str, Any]) -> None:
        self.response = response
        self._frames.add(f"response.{status}", response=response)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._heading.id}{len(self._items):02x}"


def write_response(reply: Reply, heading: Heading, chat: Chat, keeping: Keeping) -> dict[str, Any]:
    """Return the response object that says the reply whole."""
    writer = StreamWriter(heading, chat, keeping)
    for event in events_of(reply):
        writer.write(event)
    return writer.response
