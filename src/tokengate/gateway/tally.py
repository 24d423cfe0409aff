"""Counts what passes in the vocabulary: whether there is content, about how many tokens, which blocks are open."""

from tokengate.catalog.tokens import TokenEstimate
from tokengate.core.parts import Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import (
    BlockEnd,
    Event,
    FinishReason,
    Media,
    RefusalDelta,
    Reply,
    ServerTool,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)

# An answer that says why it is empty is an answer: the model declined, or was not to say anything.
_EXPLAINED = (FinishReason.CONTENT_FILTER, FinishReason.LENGTH)


class Tally:
    """What the events of one stream came to. Content is what a caller would keep: another backend may answer until
    it has passed."""

    __slots__ = ("_estimate", "_open", "has_content")

    def __init__(self) -> None:
        self._estimate = TokenEstimate()
        self._open: dict[tuple[int, int], None] = {}
        self.has_content = False

    @property
    def tokens(self) -> int:
        """About how many output tokens have passed."""
        return self._estimate.tokens

    def add(self, event: Event) -> None:
        """Take one event more."""
        match event:
            case TextDelta() | ThinkingDelta() | RefusalDelta():
                self._estimate.add(event.text)
                self.has_content = self.has_content or bool(event.text)
            case ToolDelta():
                self._estimate.add(event.arguments)
            case ToolStart():
                self._estimate.add(event.name)
                self.has_content = True
            case ThinkingSignature() | ServerTool() | Media():
                self.has_content = True
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


def output_text(reply: Reply) -> str:
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
    return "".join(texts)
