"""Output items as they grow: what the events of a streamed reply add to them, and the frames that tell it.

An item begins with `output_item.added` and ends with `output_item.done`; in between come the events of its kind. The
API repeats every text when it is whole, so an item keeps its text to the end.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.custom_tools import input_of
from tokengate.core.parts import Citation, Extra
from tokengate.core.reply import ThinkingSignature, TokenLogprob, ToolStart
from tokengate.formats.responses.beside import MESSAGE, STRANGERS
from tokengate.formats.responses.citations import write_citation
from tokengate.formats.responses.signature import wrap

Json = dict[str, Any]


class Frames:
    """Collects the frames of a stream's events, which it numbers from `first` on."""

    __slots__ = ("_pieces", "_sequence")

    def __init__(self, first: int = 0) -> None:
        self._pieces: list[bytes] = []
        self._sequence = first

    def add(self, kind: str, /, **members: Any) -> None:
        """Add one event."""
        data = _encode({"type": kind, "sequence_number": self._sequence, **members})
        self._sequence += 1
        self._pieces.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))

    def take(self) -> bytes:
        """Return the frames since the last time."""
        frames = b"".join(self._pieces)
        self._pieces.clear()
        return frames


class Content(Struct):
    """A growing part of a message: its text, or a refusal."""

    index: int
    refusal: bool
    pieces: list[str] = []
    annotations: list[Any] = []
    logprobs: list[Json] = []
    length: int = 0  # characters
    ended: bool = False
    extra: dict[str, Raw] = {}  # members that nobody knows

    def whole(self) -> Json:
        text = "".join(self.pieces)
        if self.refusal:
            return {**self.extra, "type": "refusal", "refusal": text}
        said = {"type": "output_text", "text": text, "annotations": self.annotations, "logprobs": self.logprobs}
        return {**self.extra, **said}


class Item:
    """One output item. `blocks` of the reply lie in it; it may end when all of them have."""

    def __init__(self, frames: Frames, index: int, id: str) -> None:
        self.frames = frames
        self.index = index
        self.id = id
        self.status = "in_progress"
        self.extra: dict[str, Raw] = {}  # members that nobody knows

    @property
    def closed(self) -> bool:
        """Whether its end was told."""
        return self.status != "in_progress"

    @property
    def idle(self) -> bool:
        """Whether all its blocks have ended."""
        raise NotImplementedError

    def whole(self, status: str) -> Any:
        """Return the item as it is by now."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell the end of blocks that nobody ended."""

    def keep(self, block: int, extra: Extra) -> None:
        """Take members that nobody knows, of the item or of this block in it."""
        self.extra |= extra

    def open(self) -> None:
        """Tell that the item begins."""
        self.frames.add("response.output_item.added", output_index=self.index, item=self.whole("in_progress"))

    def close(self, status: str) -> None:
        """Tell that the item is whole."""
        self.end()
        self.status = status
        self.frames.add("response.output_item.done", output_index=self.index, item=self.whole(status))

    def tell(self, kind: str, **members: Any) -> None:
        """Tell an event of this item."""
        self.frames.add(f"response.{kind}", item_id=self.id, output_index=self.index, **members)

    def go_on(self, kind: str, members: Mapping[str, Any]) -> None:
        """Tell an event of the vendor's with our numbers, and with the item's id where that is ours."""
        rest = without_numbers(members)
        if "item_id" in rest and self.id:
            rest["item_id"] = self.id
        self.frames.add(kind, output_index=self.index, **rest)


class MessageItem(Item):
    """Texts and refusals that follow each other."""

    def __init__(self, frames: Frames, index: int, id: str, phase: str) -> None:
        super().__init__(frames, index, id)
        self.phase = phase
        self._contents: dict[int, Content] = {}  # by block
        self._beside: dict[int, dict[str, Raw]] = {}  # members that nobody knows, by block
        self._strangers: dict[int, list[Raw]] = {}  # parts that nobody knows, which come last, by the block they are of

    @property
    def idle(self) -> bool:
        return all(content.ended for content in self._contents.values())

    def keep(self, block: int, extra: Extra) -> None:
        of_content = self._beside.setdefault(block, {})
        for name, raw in extra.items():
            if name == MESSAGE:
                members = dict(read_members(raw))
                if STRANGERS in members:
                    self._strangers[block] = _decode_list(members.pop(STRANGERS))
                self.extra |= members
            else:
                of_content[name] = raw

    def say(self, block: int, text: str, *, refusal: bool = False) -> None:
        """Add a piece of text."""
        content = self._content(block, refusal=refusal)
        content.pieces.append(text)
        content.length += len(text)
        if refusal:
            self.tell("refusal.delta", content_index=content.index, delta=text)
        else:
            self.tell("output_text.delta", content_index=content.index, delta=text, logprobs=[])

    def cite(self, block: int, citation: Citation) -> None:
        """Add a source of the text so far."""
        content = self._content(block, refusal=False)
        annotation = write_citation(citation, content.length)
        number = len(content.annotations)
        content.annotations.append(annotation)
        self.tell(
            "output_text.annotation.added",
            content_index=content.index,
            annotation_index=number,
            annotation=annotation,
        )

    def weigh(self, block: int, logprobs: tuple[TokenLogprob, ...]) -> None:
        """Add the likelihoods of tokens that were told."""
        content = self._content(block, refusal=False)
        content.logprobs.extend(_logprob(one) for one in logprobs)
        told = [_short_logprob(one) for one in logprobs]
        self.tell("output_text.delta", content_index=content.index, delta="", logprobs=told)

    def place(self, block: int) -> int | None:
        """Return the content index of a block; None for one that is no part by itself."""
        content = self._contents.get(block)
        return None if content is None else content.index

    def end_block(self, block: int) -> None:
        """Tell that a text is whole."""
        content = self._contents.get(block)
        if content is None or content.ended:
            return
        content.ended = True
        part = content.whole()
        if content.refusal:
            self.tell("refusal.done", content_index=content.index, refusal=part["refusal"])
        else:
            self.tell("output_text.done", content_index=content.index, text=part["text"], logprobs=part["logprobs"])
        self.tell("content_part.done", content_index=content.index, part=part)

    def end(self) -> None:
        for block in self._contents:
            self.end_block(block)
        for index, part in enumerate(self._strange_parts(), len(self._contents)):
            self.tell("content_part.added", content_index=index, part=part)
            self.tell("content_part.done", content_index=index, part=part)

    def whole(self, status: str) -> Json:
        own: Json = {"id": self.id, "type": "message", "status": status, "role": "assistant"}
        item = {**self.extra, **own}
        if self.phase:
            item["phase"] = self.phase
        content: list[Any] = [one.whole() for one in self._contents.values()]
        if status != "in_progress":
            content += self._strange_parts()
        return {**item, "content": content}

    def _strange_parts(self) -> list[Raw]:
        return [part for parts in self._strangers.values() for part in parts]

    def _content(self, block: int, *, refusal: bool) -> Content:
        content = self._contents.get(block)
        if content is None:
            extra = self._beside.setdefault(block, {})
            content = self._contents[block] = Content(len(self._contents), refusal, extra=extra)
            self.tell("content_part.added", content_index=content.index, part=content.whole())
        return content


class ReasoningItem(Item):
    """What the model thought: in full, or the gist of it."""

    def __init__(self, frames: Frames, index: int, id: str) -> None:
        super().__init__(frames, index, id)
        self._pieces: list[str] = []
        self._gist: bool | None = None  # None until there is a text
        self._encrypted: str | None = None
        self._ended = False

    @property
    def idle(self) -> bool:
        return self._ended

    def think(self, text: str, *, gist: bool) -> None:
        """Add a piece of text."""
        if not text:
            return
        if self._gist is None:
            self._gist = gist
            if gist:
                self.tell("reasoning_summary_part.added", summary_index=0, part=_thought("", gist=True))
            else:
                self.tell("content_part.added", content_index=0, part=_thought("", gist=False))
        self._pieces.append(text)
        if self._gist:
            self.tell("reasoning_summary_text.delta", summary_index=0, delta=text)
        else:
            self.tell("reasoning_text.delta", content_index=0, delta=text)

    def sign(self, proof: ThinkingSignature) -> None:
        """Add what proves the thinking."""
        self._encrypted = wrap(proof.signature, proof.format, redacted=proof.redacted, id=proof.id, item_id=self.id)

    def carry(self, encrypted: str) -> None:
        """Make it an item without thinking that carries something for the gateway."""
        self._encrypted = encrypted

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        text = "".join(self._pieces)
        if self._gist:
            self.tell("reasoning_summary_text.done", summary_index=0, text=text)
            self.tell("reasoning_summary_part.done", summary_index=0, part=_thought(text, gist=True))
        elif self._gist is False:
            self.tell("reasoning_text.done", content_index=0, text=text)
            self.tell("content_part.done", content_index=0, part=_thought(text, gist=False))

    def whole(self, status: str) -> Json:
        text = "".join(self._pieces)
        item: Json = {**self.extra, "id": self.id, "type": "reasoning", "summary": []}
        if self._gist:
            item["summary"] = [_thought(text, gist=True)]
        elif self._gist is False:
            item["content"] = [_thought(text, gist=False)]
        if self._encrypted is not None:
            item["encrypted_content"] = self._encrypted
        return item


class CallItem(Item):
    """A call of a function or of a custom tool.

    With `unwrap` the model was given a function in a custom tool's place, and the text is inside its arguments.
    """

    def __init__(self, frames: Frames, index: int, id: str, start: ToolStart, *, unwrap: bool) -> None:
        super().__init__(frames, index, id)
        self.name = start.name
        self.namespace = ""
        self._start = start
        self._custom = start.custom or unwrap
        self._unwrap = unwrap
        self._pieces: list[str] = []
        self._ended = False

    @property
    def idle(self) -> bool:
        return self._ended

    def argue(self, arguments: str) -> None:
        """Add a piece of the arguments."""
        self._pieces.append(arguments)
        if self._unwrap:
            return
        self.tell("custom_tool_call_input.delta" if self._custom else "function_call_arguments.delta", delta=arguments)

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        text = "".join(self._pieces)
        if self._unwrap:
            text = input_of(text)
            self._pieces = [text]
            self.tell("custom_tool_call_input.delta", delta=text)
        if self._custom:
            self.tell("custom_tool_call_input.done", input=text)
        else:
            self.tell("function_call_arguments.done", name=self.name, arguments=text)

    def whole(self, status: str) -> Json:
        text = "" if self._unwrap and not self._ended else "".join(self._pieces)
        own: Json = {"id": self.id, "call_id": self._start.id or self.id, "name": self.name, "status": status}
        item = {**self.extra, **own}
        if self.namespace:
            item["namespace"] = self.namespace
        if self._custom:
            return {**item, "type": "custom_tool_call", "input": text}
        return {**item, "type": "function_call", "arguments": text}


class WholeItem(Item):
    """An item that comes all at once: of a vendor's own tool, a picture, or what a search found."""

    def __init__(self, frames: Frames, index: int, id: str, begun: Any, whole: Any) -> None:
        super().__init__(frames, index, id)
        self._begun = begun
        self._whole = whole

    @property
    def idle(self) -> bool:
        return True

    def whole(self, status: str) -> Any:
        return self._begun if status == "in_progress" else self._whole


class SteppedItem(Item):
    """An item of a vendor's own tool that tells what the tool is doing until it is whole."""

    def __init__(self, frames: Frames, index: int, begun: Raw) -> None:
        super().__init__(frames, index, "")
        self._begun = begun
        self._whole: Raw | None = None

    @property
    def idle(self) -> bool:
        return self._whole is not None

    def become(self, whole: Raw) -> None:
        """End with the whole item."""
        self._whole = whole
        self.close("completed")

    def whole(self, status: str) -> Raw:
        return self._whole or self._begun


def without_numbers(members: Mapping[str, Any]) -> Json:
    """Return an event's members without its type and the numbers that are ours to give."""
    return {name: value for name, value in members.items() if name not in _NUMBERED}


def read_members(raw: Raw) -> Mapping[str, Raw]:
    """Return an event's members."""
    return _decode_members(raw)


def _thought(text: str, *, gist: bool) -> Json:
    return {"type": "summary_text" if gist else "reasoning_text", "text": text}


def _logprob(one: TokenLogprob) -> Json:
    return {
        "token": one.token,
        "logprob": one.logprob,
        "bytes": list(one.bytes or ()),
        "top_logprobs": [
            {"token": top.token, "logprob": top.logprob, "bytes": list(top.bytes or ())} for top in one.top
        ],
    }


def _short_logprob(one: TokenLogprob) -> Json:
    tops = [{"token": top.token, "logprob": top.logprob} for top in one.top]
    return {"token": one.token, "logprob": one.logprob, "top_logprobs": tops}


_NUMBERED = frozenset({"type", "sequence_number", "output_index"})
_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
