"""Forms that ask for pictures, as the JSON that says the same."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tokengate.core.errors import BadRequest
from tokengate.formats.openai.form import FormPart, data_url, field_integer, field_text

_NUMBERS: Final = frozenset({"n", "output_compression", "partial_images", "seed"})
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}

_encode = msgspec.json.Encoder().encode


def json_of_form(parts: Iterable[FormPart], *, several: bool) -> bytes:
    """Return the JSON body of a form's parts. With `several` there may be more than one `image`. Raises BadRequest."""
    body: dict[str, Any] = {}
    pictures: list[str] = []
    for given, data, file_name, media_type in parts:
        name = given.removesuffix("[]")
        if name == "image":
            pictures.append(data_url(data, media_type) if file_name is not None else field_text(data, name))
        elif name in body:
            raise BadRequest(f"'{name}' appears more than once in the form.", param=name)
        elif file_name is None:
            body[name] = _value(name, field_text(data, name))
        elif name == "mask":
            body[name] = data_url(data, media_type)
        else:
            raise BadRequest(f"'{name}' must not be a file.", param=name)
    if len(pictures) > 1 and not several:
        raise BadRequest("'image' must be one picture.", param="image")
    if pictures:
        body["image"] = pictures if several else pictures[0]
    return _encode(body)


def _value(name: str, text: str) -> Any:
    """Return a field as JSON has it; what does not fit stays a text, for the reader to refuse."""
    if name in _NUMBERS:
        return field_integer(text)
    return _FLAGS.get(text.lower(), text) if name == "stream" else text
