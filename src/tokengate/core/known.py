"""Types that several threads decode.

msgspec learns what a Struct is at the first use. A thread that uses it while another one learns it reads fields that
are not there yet, and the process ends with a segmentation fault (seen with msgspec 0.22). A module is imported by
one thread, so that is when its types are made known.
"""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def known(kind: type[T]) -> type[T]:
    """Return the type, which msgspec knows whole from now on, with all that it is made of."""
    msgspec.json.Decoder(kind)
    return kind
