"""Documented parameters are those that the code checks, with its ranges."""

import pytest
from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.formats.openai.parameters import (
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ImageBody,
    ImageEditBody,
    ImageVariationBody,
    ModerationBody,
    RerankBody,
    SpeechBody,
    VideoBody,
    VideoEditBody,
    VideoRemixBody,
)
from tokengate.formats.openai.requests import read_chat
from tokengate.reference.checked import body_fields
from tokengate.reference.table import (
    CHAT_COMPLETIONS,
    COMPLETIONS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGE_GENERATIONS,
    IMAGE_VARIATIONS,
    MODERATIONS,
    RERANK,
    SPEECH,
    ApiOperation,
)
from tokengate.reference.words import Field, operation_words, parameter_words


def fields_of(operation: ApiOperation) -> dict[str, Field]:
    return {field.name: field for field in body_fields(operation, operation_words()[operation.id])}


@pytest.mark.parametrize(
    ("operation", "struct"),
    [
        (CHAT_COMPLETIONS, ChatBody),
        (COMPLETIONS, CompletionBody),
        (EMBEDDINGS, EmbeddingBody),
        (RERANK, RerankBody),
        (MODERATIONS, ModerationBody),
        (IMAGE_GENERATIONS, ImageBody),
        (IMAGE_EDITS, ImageEditBody),
        (IMAGE_VARIATIONS, ImageVariationBody),
        (SPEECH, SpeechBody),
    ],
)
def test_every_checked_parameter_is_documented_in_both_languages(operation: ApiOperation, struct: type[Struct]):
    fields = fields_of(operation)

    assert set(fields) == set(struct.__struct_encode_fields__)
    assert all(field.zh and field.en and field.type for field in fields.values())


def test_words_state_no_type_or_range_that_the_code_has():
    for section in parameter_words().values():
        for name, words in section.items():
            assert (words.min, words.max, words.enum, words.of) == (None, None, (), ""), name
    checked = {
        "chat": ChatBody,
        "completion": CompletionBody,
        "embedding": EmbeddingBody,
        "rerank": RerankBody,
        "moderation": ModerationBody,
        "image": ImageBody,
        "image_edit": ImageEditBody,
        "image_variation": ImageVariationBody,
        "speech": SpeechBody,
        "video": VideoBody,
        "video_change": VideoRemixBody,
        "video_edit": VideoEditBody,
    }
    for section, names in parameter_words().items():
        for name in names:
            assert section == "both" or name in checked[section].__struct_encode_fields__


@pytest.mark.parametrize("name", ["temperature", "top_p", "min_p", "n", "top_k", "frequency_penalty", "max_tokens"])
def test_the_documented_ends_of_a_range_are_taken_and_what_is_beyond_is_not(name: str):
    field = fields_of(CHAT_COMPLETIONS)[name]
    assert field.min is not None and field.max is not None

    for value in (field.min, field.max):
        read_chat(_body(name, value))
    for value in (field.min - 1, field.max + 1):
        with pytest.raises(BadRequest):
            read_chat(_body(name, value))


def test_required_parameters_come_first():
    required = [field.required for field in fields_of(CHAT_COMPLETIONS).values()]

    assert required == sorted(required, reverse=True)
    assert [name for name, field in fields_of(CHAT_COMPLETIONS).items() if field.required] == ["model", "messages"]


def test_roles_are_those_that_are_checked():
    role = fields_of(CHAT_COMPLETIONS)["messages"].children[0]

    assert role.name == "role" and set(role.enum) >= {"system", "user", "assistant", "tool"}


def _body(name: str, value: float) -> bytes:
    return f'{{"model": "m", "messages": [{{"role": "user", "content": ""}}], "{name}": {value}}}'.encode()
