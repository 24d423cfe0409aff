"""Notes what passes in the vocabulary: whether there is content, what was written, which blocks are open."""

from tokengate.core.parts import Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import (
    REPLY,
    BlockEnd,
    Event,
    FinishReason,
    Media,
    RefusalDelta,
    Reply,
    ServerTool,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.gateway.written import Written

# An answer that says why it is empty is an answer: the model declined, or was not to say anything.
_EXPLAINED = (FinishReason.CONTENT_FILTER, FinishReason.LENGTH)


class Tally:
    """What the events of one stream came to. Content is what a caller would keep: another backend may answer until
    it has passed."""

    __slots__ = ("_open", "_written", "has_content")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._open: dict[tuple[int, int], None] = {}
        self.has_content = False

    def add(self, event: Event) -> None:
        """Take one event more."""
        match event:
            case TextDelta() | ThinkingDelta() | RefusalDelta():
                self._written.add((event.choice, event.block), event.text)
                if event.text:
                    self.has_content = True
            case ToolDelta():
                self._written.add((event.choice, event.block), event.arguments)
            case ToolStart():
                self._written.add((event.choice, -1 - event.block), event.name)
                self.has_content = True
            case ThinkingSignature():
                self.has_content = True
            case ServerTool() | Media():
                self._written.add_other()
                self.has_content = True
            case Step():
                self.has_content = self.has_content or event.block != REPLY
                return
            case BlockEnd():
                self._open.pop((event.choice, event.block), None)
                return
            case Stop():
                self.has_content = self.has_content or event.finish in _EXPLAINED
                return
            case _:
                return
        self._open[event.choice, event.block] = None

    def open_blocks(self) -> list[Event]:
        """Return the ends of the blocks that have begun and not ended."""
        return [BlockEnd(choice, block) for choice, block in self._open]


def has_content(reply: Reply) -> bool:
    """Say whether a whole reply holds anything that a caller would keep."""
    for choice in reply.choices:
        if choice.finish in _EXPLAINED:
            return True
        for part in choice.parts:
            match part:
                case Text() | Refusal():
                    if part.text:
                        return True
                case Thinking():
                    if part.text or part.signature:
                        return True
                case _:
                    return True
    return False


def output_texts(reply: Reply) -> tuple[str, ...]:
    """Return what the model wrote, to be counted for a vendor that never said."""
    texts: list[str] = []
    for choice in reply.choices:
        for part in choice.parts:
            match part:
                case Text() | Refusal() | Thinking():
                    texts.append(part.text)
                case ToolCall():
                    texts += (part.name, part.arguments)
                case _:
                    pass
    return tuple(texts)
