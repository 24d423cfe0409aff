"""The pictures of one reply to a chat, which no vendor's usage tells: how many, and what the first measures."""

from collections.abc import Iterable

from tokengate.core.parts import Data, Image
from tokengate.core.picture import size_of_base64
from tokengate.core.reply import Event, Media


class Drawn:
    """Counts the pictures among a reply's events. `size` is such as `1024x1024`; None when the first does not say."""

    __slots__ = ("count", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size: str | None = None

    def add(self, events: Iterable[Event]) -> None:
        """Take some events more."""
        for event in events:
            if isinstance(event, Media) and isinstance(event.part, Image):
                if not self.count:
                    self.size = _size_of(event.part)
                self.count += 1


def _size_of(image: Image) -> str | None:
    if not isinstance(image.source, Data):
        return None
    sides = size_of_base64(image.source.base64)
    return None if sides is None else f"{sides[0]}x{sides[1]}"
