from typing import Any

import pytest
import schemathesis

from tests.reference.shelf import SERVED, library, running
from tokengate.reference.openapi import openapi_document
from tokengate.reference.table import COMPACT_RESPONSE, TABLE
from tokengate.reference.words import Lang


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("operations", [SERVED, TABLE])
def test_the_document_is_valid(lang: Lang, operations: Any):
    document = openapi_document(running(served=operations), version="1", server="https://ai.example.com", lang=lang)

    schemathesis.openapi.from_dict(document).validate()  # pyright: ignore[reportUnknownMemberType]


def test_the_document_has_each_route_under_each_of_its_bases_and_nothing_else():
    document = library().openapi("en", "")

    paths = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert paths == {(path, operation.method) for operation in SERVED for path in operation.paths()}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


def test_ranges_and_errors_are_in_it():
    document = library().openapi("zh", "")

    temperature = document["components"]["schemas"]["ChatBody"]["properties"]["temperature"]
    assert (temperature["minimum"], temperature["maximum"], temperature["default"]) == (0, 2, 1.0)
    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert {"200", "400", "401", "402", "404", "429", "502", "503", "504"} <= set(chat["responses"])
    assert set(chat["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    assert chat["security"] == [{"key": []}]


def test_errors_of_each_format_that_an_operation_answers_in_are_in_it():
    document = library().openapi("en", "")

    def schema_of(path: str) -> Any:
        return document["paths"][path]["post"]["responses"]["400"]["content"]["application/json"]["schema"]

    names = [one["$ref"].rpartition("/")[2] for one in schema_of("/v1/chat/completions")["anyOf"]]
    assert names == ["Error", "DashScopeError"]
    assert set(names) <= set(document["components"]["schemas"])
    assert schema_of("/v1/embeddings") == {"$ref": "#/components/schemas/Error"}


def test_an_operation_that_takes_a_form_or_json_says_both():
    document = openapi_document(running(served=TABLE), version="1", server="", lang="en")

    content = document["paths"]["/v1/images/edits"]["post"]["requestBody"]["content"]
    assert list(content) == ["multipart/form-data", "application/json"]
    form = content["multipart/form-data"]
    assert form["schema"]["properties"]["image"]["format"] == "binary"
    assert form["schema"]["properties"]["prompt"]["type"] == "string"
    assert [one["value"]["image"] for one in form["examples"].values()] == ["@picture.png"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/ImageEditBody"}


def test_examples_name_a_model_that_has_what_they_ask_for():
    """As on the operation's own page: few vendors fold a conversation, and a chat model makes no vectors."""
    shelf = library("qwen-plus", "gpt-5.4", "text-embedding-3-small", served=(*SERVED, COMPACT_RESPONSE))
    document, made = shelf.openapi("en", ""), shelf.collection("en", "")

    def models_of(path: str) -> set[str]:
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return {one["value"]["model"] for one in content["examples"].values()}

    assert models_of("/v1/responses/compact") == {"gpt-5.4"}
    assert models_of("/v1/embeddings") == {"text-embedding-3-small"}
    assert models_of("/v1/chat/completions") == {"qwen-plus"}
    requests = [item["request"] for folder in made["item"] for item in folder["item"]]
    folding = next(one for one in requests if one["url"]["raw"].endswith("/responses/compact"))
    assert '"gpt-5.4"' in folding["body"]["raw"]
