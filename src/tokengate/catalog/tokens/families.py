"""Which tokenizer and chat template a model has, by its name; None where neither is public or at hand."""

import re
from typing import Literal

from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.tokenizer import Encoding

Template = Literal["openai", "chatml", "deepseek", "mistral", "llama3"]


class Family(Struct, frozen=True, kw_only=True):
    """How a model's prompts become tokens. `exact` says that both the ranks and the template are the model's own."""

    encoding: Encoding
    template: Template
    exact: bool = True
    system: str = ""  # what the template writes when the caller gives no system text
    opening: Literal["", "think", "hybrid"] = ""  # what the template writes before the reply of a thinking model


def family_of(model: Model) -> Family | None:
    """Return the family of a catalogue's model; None means that its tokens can only be estimated."""
    name = model_name(model)
    for pattern, family in _FAMILIES:
        if pattern.match(name):
            return family
    return None


def model_name(model: Model) -> str:
    """Return the name that the vendor knows, without vendor prefix and in lower case."""
    own = model.answered_by
    return (model.upstream_id or own).rsplit("/", 1)[-1].lower()


_CHATML_SYSTEM = "You are a helpful assistant."


def _chatml(*, exact: bool = True, system: str = "", opening: Literal["", "think", "hybrid"] = "") -> Family:
    return Family(encoding="qwen", template="chatml", exact=exact, system=system, opening=opening)


# The first that matches the beginning of the name. Sources: tiktoken's table of models, the vendors' own chat
# templates and, for Qwen, prompts whose counts are printed on the product pages.
_FAMILIES: tuple[tuple[re.Pattern[str], Family], ...] = tuple(
    (re.compile(pattern), family)
    for pattern, family in (
        (r"gpt-oss", Family(encoding="o200k", template="openai", exact=False)),  # the harmony template
        (r"(chatgpt-|gpt-)4o|gpt-4\.[15]|gpt-5|o[134](-|$)", Family(encoding="o200k", template="openai")),
        (r"gpt-4|gpt-3\.5|text-embedding-(3|ada)", Family(encoding="cl100k", template="openai")),
        (r"qwen-?(image|audio|omni|tts|asr)|qwen[\d.]*-(omni|tts|asr)", _chatml(exact=False)),
        (r"qwen(3\.[5-9]|[4-9])", _chatml(exact=False, opening="hybrid")),  # a larger vocabulary, not public here
        (r"qwen3.*-instruct|qwen3-coder", _chatml()),
        (r"qwen3.*-thinking|qwq-(32b|plus)(?!-preview)", _chatml(opening="think")),
        (r"qwen3", _chatml(opening="hybrid")),
        (r"qwen-(vl-(v1|chat)|vl-plus-202[34])", _chatml(exact=False, system=_CHATML_SYSTEM)),
        (r"qwen|qvq|qwq|farui", _chatml(system=_CHATML_SYSTEM)),
        (r"tongyi-deepresearch", _chatml()),
        (r"deepseek-?(v?[34]|chat|reasoner|r1(?!-distill))", Family(encoding="deepseek", template="deepseek")),
        (
            r"(open-)?mistral-(nemo|medium|small-(latest|3|25))|ministral|pixtral|devstral|magistral",
            Family(encoding="tekken", template="mistral"),
        ),
        (r"(meta-)?llama-?3(\.0)?-(8b|70b)|llama3(:|$)", Family(encoding="llama3", template="llama3")),
        # From 3.1 on the template writes the date of the day.
        (
            r"(meta-)?llama-?3",
            Family(
                encoding="llama3",
                template="llama3",
                exact=False,
                system=("Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"),
            ),
        ),
    )
)
