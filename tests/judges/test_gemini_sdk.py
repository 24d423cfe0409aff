"""Google's own SDK judges: it must get what it expects, from the simulated vendor and from whoever stands before it."""

# The SDK's types name PIL, which is not installed.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.judges.gemini_place import PLACES, open_place
from tests.simulators.gemini_upstream import PNG, THOUGHT

FLASH = "gemini-3-flash-preview"
OLD = "gemini-2.5-flash"
WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="Tells the weather.",
    parameters_json_schema={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
CLOCK = types.FunctionDeclaration(name="get_time", description="Tells the time.")
TOOLS: list[Any] = [types.Tool(function_declarations=[WEATHER, CLOCK])]
NO_LOOP = types.AutomaticFunctionCallingConfig(disable=True)


class Recipe(BaseModel):
    name: str
    steps: list[str]
    minutes: int | None


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with open_place(request.param, tmp_path_factory.mktemp("gemini")) as opened:
        yield opened


@pytest.fixture(scope="module")
def base_url(place: tuple[str, str]) -> str:
    return place[0]


@pytest.fixture(scope="module")
def api_key(place: tuple[str, str]) -> str:
    return place[1]


@pytest.fixture(scope="module", params=["v1", "v1beta"])
def client(base_url: str, api_key: str, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=base_url, api_version=request.param)
    with genai.Client(api_key=api_key, http_options=options) as client:
        yield client


def test_a_question_is_answered_with_usage(client: genai.Client) -> None:
    reply = client.models.generate_content(
        model=OLD, contents="Hello there", config=types.GenerateContentConfig(system_instruction="Be brief.")
    )

    assert reply.text == "You said: Hello there"
    assert reply.candidates and reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert reply.usage_metadata is not None
    assert reply.usage_metadata.prompt_token_count == 4
    assert reply.usage_metadata.candidates_token_count == 4
    assert reply.model_version == OLD
    assert reply.response_id


def test_a_stream_says_the_same_as_a_whole_reply(client: genai.Client) -> None:
    whole = client.models.generate_content(model=FLASH, contents="Grüße, 世界 🙂!")
    chunks = list(client.models.generate_content_stream(model=FLASH, contents="Grüße, 世界 🙂!"))

    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    last = chunks[-1]
    assert last.candidates and last.candidates[0].finish_reason is types.FinishReason.STOP
    assert last.usage_metadata == whole.usage_metadata


def test_sampling_parameters_are_taken(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        temperature=0.3, top_p=0.9, top_k=40, seed=7, presence_penalty=0.1, frequency_penalty=-0.1, candidate_count=2
    )
    reply = client.models.generate_content(model=OLD, contents="Hello", config=config)

    assert reply.candidates is not None
    assert [candidate.index for candidate in reply.candidates] == [0, 1]


def test_the_output_cap_and_stop_sequences_end_the_text(client: genai.Client) -> None:
    capped = client.models.generate_content(
        model=OLD, contents="one two three four", config=types.GenerateContentConfig(max_output_tokens=8)
    )
    stopped = client.models.generate_content(
        model=OLD, contents="one two three", config=types.GenerateContentConfig(stop_sequences=["two"])
    )

    assert capped.text == "You said: one "
    assert capped.candidates and capped.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    assert (stopped.text or "").strip() == "You said: one"
    assert stopped.candidates and stopped.candidates[0].finish_reason is types.FinishReason.STOP


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_remembers_its_turns(client: genai.Client, streamed: bool) -> None:
    chat = client.chats.create(model=FLASH)

    for text in ("first", "second"):
        if streamed:
            answer = "".join(chunk.text or "" for chunk in chat.send_message_stream(text))
        else:
            answer = chat.send_message(text).text or ""
        assert answer == f"You said: {text}"

    turns = chat.get_history(curated=True)
    roles = [turn.role for turn in turns]
    assert [role for at, role in enumerate(roles) if role != roles[at - 1] or not at] == ["user", "model"] * 2


@pytest.mark.parametrize("model", [FLASH, OLD])
def test_functions_are_called_by_themselves(client: genai.Client, model: str) -> None:
    asked: list[str] = []

    def get_weather(city: str) -> dict[str, str]:
        """Tells the weather of a city."""
        asked.append(city)
        return {"weather": f"sunny in {city}"}

    config = types.GenerateContentConfig(tools=[get_weather])
    reply = client.models.generate_content(model=model, contents='call get_weather {"city": "Paris"}', config=config)

    assert asked == ["Paris"]
    assert reply.text is not None and "sunny in Paris" in reply.text
    assert reply.automatic_function_calling_history


def test_functions_are_called_by_themselves_in_a_stream(client: genai.Client) -> None:
    def get_weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"rain in {city}"

    chunks = client.models.generate_content_stream(
        model=FLASH,
        contents='call get_weather {"city": "Oslo"}',
        config=types.GenerateContentConfig(tools=[get_weather]),
    )

    assert "rain in Oslo" in "".join(chunk.text or "" for chunk in chunks)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", [FLASH, OLD])
def test_parallel_calls_are_answered_by_hand(client: genai.Client, model: str, streamed: bool) -> None:
    config = types.GenerateContentConfig(
        tools=TOOLS, automatic_function_calling=NO_LOOP, thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    question = types.UserContent('call get_weather {"city": "Paris"}\ncall get_time {}')
    answer = _answer(client, model, [question], config, streamed)
    calls = [part.function_call for part in answer.parts or [] if part.function_call]

    assert [(call.name, call.args) for call in calls] == [("get_weather", {"city": "Paris"}), ("get_time", {})]

    results = [
        types.Part(
            function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": f"of {call.name}"})
        )
        for call in calls
    ]
    last = _answer(client, model, [question, answer, types.Content(role="user", parts=results)], config, streamed)

    said = "".join(part.text or "" for part in last.parts or [] if not part.thought)
    assert "of get_weather" in said and "of get_time" in said


@pytest.mark.parametrize("streamed", [False, True])
def test_steps_of_one_turn_follow_each_other(client: genai.Client, streamed: bool) -> None:
    config = types.GenerateContentConfig(tools=TOOLS, automatic_function_calling=NO_LOOP)
    contents: list[types.Content] = [types.UserContent('call get_weather {"city": "Rome"}')]

    first = _answer(client, FLASH, contents, config, streamed)
    call = next(part.function_call for part in first.parts or [] if part.function_call)
    contents += [first, _result(call, {"result": "warm"})]
    second = _answer(client, FLASH, contents, config, streamed)
    contents += [second, types.UserContent('call get_weather {"city": "Bern"}')]
    third = _answer(client, FLASH, contents, config, streamed)

    assert any(part.function_call for part in third.parts or [])


def test_a_function_can_be_forced_and_forbidden(client: genai.Client) -> None:
    def choose(mode: types.FunctionCallingConfigMode, names: list[str] | None = None) -> types.GenerateContentResponse:
        calling = types.FunctionCallingConfig(mode=mode, allowed_function_names=names)
        return client.models.generate_content(
            model=FLASH,
            contents="call get_time {}",
            config=types.GenerateContentConfig(
                tools=TOOLS,
                tool_config=types.ToolConfig(function_calling_config=calling),
                automatic_function_calling=NO_LOOP,
            ),
        )

    forced = choose(types.FunctionCallingConfigMode.ANY, ["get_weather"])
    forbidden = choose(types.FunctionCallingConfigMode.NONE)

    assert forced.function_calls is not None
    assert [call.name for call in forced.function_calls] == ["get_weather"]
    assert not forbidden.function_calls


def test_a_failed_function_is_told(client: genai.Client) -> None:
    config = types.GenerateContentConfig(tools=TOOLS, automatic_function_calling=NO_LOOP)
    question = types.UserContent("call get_time {}")
    answer = _answer(client, FLASH, [question], config, streamed=False)
    call = next(part.function_call for part in answer.parts or [] if part.function_call)

    last = _answer(client, FLASH, [question, answer, _result(call, {"error": "no clock"})], config, streamed=False)

    assert "no clock" in "".join(part.text or "" for part in last.parts or [])


def test_pictures_are_seen(client: genai.Client) -> None:
    picture = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    reply = client.models.generate_content(model=FLASH, contents=["What is this?", picture])

    assert reply.text is not None and "image/png" in reply.text
    assert reply.usage_metadata is not None
    details = {one.modality: one.token_count for one in reply.usage_metadata.prompt_tokens_details or []}
    assert details[types.MediaModality.IMAGE] == 258


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (FLASH, types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)),
        (OLD, types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)),
    ],
)
def test_thoughts_are_shown_when_asked(
    client: genai.Client, model: str, thinking: types.ThinkingConfig, streamed: bool
) -> None:
    config = types.GenerateContentConfig(thinking_config=thinking)
    answer = _answer(client, model, [types.UserContent("Think!")], config, streamed)

    thoughts = "".join(part.text or "" for part in answer.parts or [] if part.thought)
    assert thoughts == THOUGHT
    assert "".join(part.text or "" for part in answer.parts or [] if not part.thought) == "You said: Think!"


def test_thoughts_are_counted_apart_and_hidden_unless_asked(client: genai.Client) -> None:
    reply = client.models.generate_content(model=OLD, contents="Think!")

    assert reply.candidates and reply.candidates[0].content
    assert not any(part.thought for part in reply.candidates[0].content.parts or [])
    assert reply.usage_metadata is not None and reply.usage_metadata.thoughts_token_count == 5


def test_structured_output_is_parsed(client: genai.Client) -> None:
    by_model = client.models.generate_content(
        model=FLASH,
        contents="A recipe",
        config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=list[Recipe]),
    )
    by_json_schema = client.models.generate_content(
        model=FLASH,
        contents="A recipe",
        config=types.GenerateContentConfig(
            response_mime_type="application/json", response_json_schema=Recipe.model_json_schema()
        ),
    )

    recipes: Any = by_model.parsed
    assert isinstance(recipes[0], Recipe)
    assert set(json.loads(by_json_schema.text or "")) == {"name", "steps", "minutes"}


def test_json_without_a_schema_is_json(client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json")
    reply = client.models.generate_content(model=FLASH, contents="Anything", config=config)

    assert json.loads(reply.text or "") == {"said": "Anything"}


def test_log_probabilities_are_given(client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_logprobs=True, logprobs=2)
    reply = client.models.generate_content(model=OLD, contents="Hi", config=config)

    assert reply.candidates and reply.candidates[0].logprobs_result
    chosen = reply.candidates[0].logprobs_result.chosen_candidates or []
    tops = reply.candidates[0].logprobs_result.top_candidates or []
    assert [one.token for one in chosen] == ["You", "said:", "Hi"]
    assert [len(one.candidates or []) for one in tops] == [2, 2, 2]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_blocked_prompt_is_no_error(client: genai.Client, streamed: bool) -> None:
    if streamed:
        *_, reply = client.models.generate_content_stream(model=FLASH, contents="a blocked prompt")
    else:
        reply = client.models.generate_content(model=FLASH, contents="a blocked prompt")

    assert not reply.candidates
    assert reply.prompt_feedback is not None
    assert reply.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


def test_an_unsafe_answer_says_so(client: genai.Client) -> None:
    reply = client.models.generate_content(model=FLASH, contents="an unsafe answer")

    assert reply.candidates and reply.candidates[0].finish_reason is types.FinishReason.SAFETY
    assert reply.text is None


def test_tokens_are_counted(client: genai.Client) -> None:
    counted = client.models.count_tokens(model=FLASH, contents="one two three")

    assert counted.total_tokens == 3


def test_texts_are_embedded(client: genai.Client) -> None:
    one = client.models.embed_content(model="gemini-embedding-001", contents="a")
    two = client.models.embed_content(
        model="gemini-embedding-001",
        contents=["a", "b"],
        config=types.EmbedContentConfig(output_dimensionality=4),
    )

    assert one.embeddings and len(one.embeddings[0].values or []) == 8
    assert two.embeddings and [len(each.values or []) for each in two.embeddings] == [4, 4]
    assert two.embeddings[0].values != two.embeddings[1].values


def test_models_are_listed_and_described(client: genai.Client) -> None:
    names = [model.name for model in client.models.list(config={"page_size": 3})]
    one = client.models.get(model=FLASH)

    assert f"models/{FLASH}" in names and len(names) == len(set(names))
    assert one.name == f"models/{FLASH}"
    assert one.input_token_limit and one.output_token_limit


@pytest.mark.parametrize("streamed", [False, True])
def test_an_unknown_model_is_not_found(client: genai.Client, streamed: bool) -> None:
    with pytest.raises(errors.ClientError) as caught:
        _answer(client, "no-such-model", [types.UserContent("Hi")], None, streamed)

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_bad_requests_name_the_culprit(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(
            model=OLD, contents="Hi", config=types.GenerateContentConfig(temperature=3, seed=1)
        )

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "temperature" in (caught.value.message or "")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (400, "INVALID_ARGUMENT", errors.ClientError),
        (429, "RESOURCE_EXHAUSTED", errors.ClientError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
def test_errors_of_the_vendor_have_their_classes_and_words(
    client: genai.Client, code: int, status: str, kind: type[errors.APIError], streamed: bool
) -> None:
    with pytest.raises(kind) as caught:
        _answer(client, f"error-{code}", [types.UserContent("Hi")], None, streamed)

    told = 503 if caught.value.code == 502 else caught.value.code  # a gateway's word for a vendor that failed
    assert (told, caught.value.status) == (code, status)
    assert caught.value.message == f"The simulated vendor answers {code}."
    assert ("retryDelay" in json.dumps(caught.value.details)) is (code == 429)


def test_a_wrong_key_is_refused(base_url: str) -> None:
    options = types.HttpOptions(base_url=base_url)
    client = genai.Client(api_key="AIzaWrongKey0123456789abcdefghijklmno", http_options=options)
    with client, pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=OLD, contents="Hi")

    assert caught.value.code in (400, 401)
    assert "API_KEY_INVALID" in json.dumps(caught.value.details)


# The SDK derives a class that aiohttp would rather not see derived.
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_the_asynchronous_client_streams_too(base_url: str, api_key: str) -> None:
    options = types.HttpOptions(base_url=base_url)
    async with genai.Client(api_key=api_key, http_options=options).aio as client:
        stream = await client.models.generate_content_stream(model=FLASH, contents="one two")
        texts = [chunk.text or "" async for chunk in stream]

    assert "".join(texts) == "You said: one two"


def _answer(
    client: genai.Client,
    model: str,
    contents: list[types.Content],
    config: types.GenerateContentConfig | None,
    streamed: bool,
) -> types.Content:
    """Return the model's turn; a streamed one holds the parts of all chunks."""
    given: Any = contents
    if not streamed:
        reply = client.models.generate_content(model=model, contents=given, config=config)
        assert reply.candidates and reply.candidates[0].content
        return reply.candidates[0].content
    parts: list[types.Part] = []
    for chunk in client.models.generate_content_stream(model=model, contents=given, config=config):
        if chunk.candidates and chunk.candidates[0].content:
            parts += chunk.candidates[0].content.parts or []
    return types.Content(role="model", parts=parts)


def _result(call: types.FunctionCall | None, response: dict[str, Any]) -> types.Content:
    assert call is not None
    answer = types.FunctionResponse(id=call.id, name=call.name, response=response)
    return types.Content(role="user", parts=[types.Part(function_response=answer)])
