"""Undoes the compression of a reply that was compressed although none was asked for, a bounded piece at a time."""

import zlib
from typing import Final

_STEP_BYTES: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_DEFLATE_METHOD: Final = 8  # in the low bits of the first byte, unless zlib's frame is left out, as some do


ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Inflater:
    """One body. Each piece that arrives is `put`, and then `take` returns it bit by bit until it returns nothing."""

    def __init__(self, encoding: str) -> None:
        """`encoding` is one of ENCODINGS."""
        self._wbits = zlib.MAX_WBITS if encoding == "deflate" else _GZIP
        self._decompressor: zlib._Decompress | None = None  # pyright: ignore[reportPrivateUsage] - has no other name
        self._packed = b""
        self._is_full = False  # the last step, so that there may be more although nothing packed is left

    def put(self, piece: bytes) -> None:
        """Give it what has arrived, once everything before is taken."""
        assert not self._packed and not self._is_full
        self._packed = piece

    def take(self) -> bytes:
        """Return the next step; nothing when more must be put. Raises zlib.error."""
        if not self._packed and not self._is_full:
            return b""
        if self._decompressor is None:
            if self._wbits != _GZIP and self._packed[0] & 0xF != _DEFLATE_METHOD:
                self._wbits = -zlib.MAX_WBITS
            self._decompressor = zlib.decompressobj(self._wbits)
        taken = self._decompressor.decompress(self._packed, _STEP_BYTES)
        if self._decompressor.unused_data:
            raise zlib.error("data after the end")
        self._packed = self._decompressor.unconsumed_tail
        self._is_full = len(taken) == _STEP_BYTES
        return taken

    def end(self) -> None:
        """Raise zlib.error when what was put is not whole."""
        if self._decompressor is not None and not self._decompressor.eof:
            raise zlib.error("cut")
