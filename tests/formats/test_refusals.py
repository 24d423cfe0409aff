"""What a caller is told about a body that cannot be decoded, in every format that names the parameter."""

from collections.abc import Callable

import msgspec
import pytest

from tokengate.core.errors import BadRequest
from tokengate.formats.anthropic import refusal as anthropic
from tokengate.formats.dashscope import refusal as dashscope
from tokengate.formats.openai import refusal as openai
from tokengate.formats.responses import refusal as responses


class _Tool(msgspec.Struct):
    name: str


class _Body(msgspec.Struct):
    model: str
    tools: list[_Tool] = []


_decode = msgspec.json.Decoder(_Body).decode


@pytest.mark.parametrize("refusal_of", [one.refusal_of for one in (anthropic, dashscope, openai, responses)])
@pytest.mark.parametrize(
    ("body", "param"), [(b"{}", "model"), (b'{"model":"m","tools":[{"name":"a"},{}]}', "tools[].name")]
)
def test_a_missing_member_is_named_with_its_place(
    refusal_of: Callable[[Exception], BadRequest], body: bytes, param: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        _decode(body)

    refused = refusal_of(error.value)

    assert (refused.param or "").replace("[1]", "[]").replace(".1.", "[].") == param  # Anthropic writes dots
    assert "`" not in refused.message
