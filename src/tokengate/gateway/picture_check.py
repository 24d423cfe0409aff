"""Whether a picture that a caller sends is one that a vendor may be sent: whole, of a known type, and not too large.

Looks at heads and ends; pixels are not decoded.
"""

import base64
import binascii
import io
from typing import Final

from tokengate.core.errors import BadRequest
from tokengate.core.images import Size
from tokengate.core.media.look import look_at, require_declared
from tokengate.core.media.pictures import PICTURES
from tokengate.core.media.steps import BadMedia
from tokengate.core.media_type import seen_type
from tokengate.core.parts import Data

MAX_PICTURE_BYTES: Final = 50 * 1024 * 1024  # OpenAI's limit

_CODES: Final = {
    "invalid_media_format": "invalid_image_format",
    "invalid_media": "invalid_image",
    "media_too_large": "image_too_large",
}


def checked(source: Data, param: str) -> tuple[Data, Size]:
    """Return a picture under its true type, and its size. Raises BadRequest for anything else."""
    if len(source.base64) > MAX_PICTURE_BYTES // 3 * 4 + 4:
        raise _refusal(param, f"is larger than {MAX_PICTURE_BYTES} bytes", "image_too_large")
    try:
        data = base64.b64decode(source.base64, validate=True)
    except (binascii.Error, ValueError):
        raise _refusal(param, "is not base64", "invalid_base64_image") from None
    if seen_type(data) not in PICTURES:
        raise _refusal(param, "is not a PNG, JPEG, WebP or GIF picture", "invalid_image_format")
    try:
        seen = look_at(io.BytesIO(data), len(data))
        require_declared(source.media_type, seen.media_type)
    except BadMedia as bad:
        raise _refusal(param, bad.why, _CODES[bad.code]) from None
    assert seen.width and seen.height, "a picture has a size"
    return Data(seen.media_type, source.base64), Size(seen.width, seen.height)


def _refusal(param: str, why: str, code: str) -> BadRequest:
    return BadRequest(f"The picture in '{param}' {why}.", param=param, code=code)
