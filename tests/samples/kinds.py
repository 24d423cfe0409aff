"""What there is to show samples of: every operation that the gateway serves, with each example of its page; and how a
sample's answer is recognised. An operation that is served and is not listed here fails `test_kinds.py`.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tokengate.reference.table import TABLE
from tokengate.reference.words import operation_words

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.png"))

Same = Callable[[bytes, bytes], bool]


class Kind(NamedTuple):
    """One example of an operation; operations without a body have one kind."""

    operation: str
    example: int = 0
    stream: bool = False
    background: bool = False  # whether the answer is there before it is made

    @property
    def id(self) -> str:
        return f"{self.operation}-{self.example}"

    @property
    def shown(self) -> str:
        """What the page knows it by: whether an operation is verified does not depend on the example's words."""
        return f"{self.operation}:stream" if self.stream else self.operation

    @property
    def answerable(self) -> bool:
        """Whether there is something to ask for: pictures only once the documents have one."""
        return self.operation != "reference.picture" or bool(PICTURES)


# A chat that no page has: its text has every character that some language gives a meaning to.
AWKWARD = Kind("chat.completions", -1)
AWKWARD_TEXT = (
    'it\'s "q" $x ${y} #{z} `b` \\ \\n \\(w) %s %@ 100% \n\t 你好 😀 </script> {} ??/ /* (* "# "### '
    '""" \'\'\' |json} ]" )---" \\" JSON\nJSON\n'
)


def same_answer(printed: bytes, plain: bytes) -> bool:
    """Say whether what was printed is the answer, but for the blanks of JSON and for blank lines."""
    try:
        expected = _value(plain)
    except ValueError:
        return _lines(printed) == _lines(plain)
    return _value(printed) == expected


def same_file(printed: bytes, plain: bytes) -> bool:
    """Say whether every byte is the same."""
    return printed == plain


def same_metrics(printed: bytes, plain: bytes) -> bool:
    """Say whether the same metrics are there; their values go on."""
    return _names_of(printed) == _names_of(plain)


def same_upstreams(printed: bytes, plain: bytes) -> bool:
    """Say whether the same upstreams are there; their times go on."""
    names = [one["name"] for one in json.loads(printed)["upstreams"]]
    return names == [one["name"] for one in json.loads(plain)["upstreams"]] != []


def same_choices(printed: bytes, plain: bytes) -> bool:
    """Say whether a chat that the gateway headed itself says the same; its id is its own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["choices"] == told["choices"] != [] and said["usage"] == told["usage"]


def same_message(printed: bytes, plain: bytes) -> bool:
    """Say whether a message says the same; its id is its own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["content"] == told["content"] != [] and said["usage"] == told["usage"]


def same_content_of_gemini(printed: bytes, plain: bytes) -> bool:
    """Say whether a reply, whole or streamed, says the same; its id is its own."""

    def without_id(text: bytes) -> list[Any]:
        pieces = [json.loads(line.removeprefix("data: ")) for line in _lines(text)] if text[:5] == b"data:" else []
        return [
            {name: value for name, value in piece.items() if name != "responseId"}
            for piece in pieces or [json.loads(text)]
        ]

    told = without_id(plain)
    return without_id(printed.strip()) == told and told[-1]["candidates"] != []


def same_output(printed: bytes, plain: bytes) -> bool:
    """Say whether DashScope's services say the same; the id is the call's own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["output"] == told["output"] != {} and said["usage"] == told["usage"]


def same_job(printed: bytes, plain: bytes) -> bool:
    """Say whether the same is told of a job; the addresses of its files are signed anew each time."""
    return same_answer(_unsigned(printed), _unsigned(plain))


def same_task(printed: bytes, plain: bytes) -> bool:
    """Say whether DashScope's form tells the same of a task; the id is the call's own."""
    return _without(printed, "request_id") == _without(plain, "request_id") != {}


def same_submitted(printed: bytes, plain: bytes) -> bool:
    """Say whether another task of music was taken."""
    return all(re.fullmatch("job_[0-9a-f]{32}", json.loads(text)["data"]) for text in (printed, plain))


def same_waiting(printed: bytes, plain: bytes) -> bool:
    """Say whether another task of DashScope was taken."""
    return all(json.loads(text)["output"]["task_status"] == "PENDING" for text in (printed, plain))


def same_cancelled(printed: bytes, plain: bytes) -> bool:
    """Say whether another job like it was cancelled."""
    said, told = json.loads(printed), json.loads(plain)
    return all(said[name] == told[name] for name in ("object", "kind", "model")) and said["state"] == "cancelled"


def same_request_id(printed: bytes, plain: bytes) -> bool:
    """Say whether nothing but the id of the call is told."""
    return json.loads(printed).keys() == json.loads(plain).keys() == {"request_id"}


def same_gone(printed: bytes, plain: bytes) -> bool:
    """Say whether another one like it is gone."""
    said, told = json.loads(printed), json.loads(plain)
    return said["object"] == told["object"] and said["deleted"] is told["deleted"] is True


def same_list(printed: bytes, plain: bytes) -> bool:
    """Say whether jobs were listed; others are made meanwhile."""
    said, told = json.loads(printed), json.loads(plain)
    return said.keys() == told.keys() and said["data"] != []


def same_policy(printed: bytes, plain: bytes) -> bool:
    """Say whether the same is given; each policy has a signature and a directory of its own."""
    said, told = json.loads(printed)["data"], json.loads(plain)["data"]
    return said.keys() == told.keys() and said["upload_host"] == told["upload_host"]


def same_response(printed: bytes, plain: bytes) -> bool:
    """Say whether a response says the same, or waits to say anything; its ids are its own."""
    said, told = json.loads(printed), json.loads(plain)
    alike = all(said[name] == told[name] for name in ("status", "background", "usage"))
    return alike and text_of(said) == text_of(told) and (told["status"] == "queued" or text_of(told) != "")


def text_of(response: Any) -> str:
    """Return the text of a response."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for item in messages for part in item["content"])


def same_ended(printed: bytes, plain: bytes) -> bool:
    """Say whether another response like it was cancelled."""
    said, told = json.loads(printed), json.loads(plain)
    names = ("object", "model", "output", "background")
    return all(said[name] == told[name] for name in names) and said["status"] == told["status"] == "cancelled"


def same_folded(printed: bytes, plain: bytes) -> bool:
    """Say whether the same conversation was folded; its id is its own."""
    return _without(printed, "id") == _without(plain, "id") and json.loads(plain)["output"] != []


def same_pictures(printed: bytes, plain: bytes) -> bool:
    """Say whether the same pictures were made; when is the call's own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["data"] == told["data"] != []


def same_film(printed: bytes, plain: bytes) -> bool:
    """Say whether the same film was asked for; its id and its time are its own."""
    said, told = json.loads(printed), json.loads(plain)
    names = ("object", "model", "prompt", "seconds", "size")
    return all(said[name] == told[name] for name in names) and said["object"] == "video"


def same_films(printed: bytes, plain: bytes) -> bool:
    """Say whether films were listed; others are made meanwhile."""
    said, told = json.loads(printed), json.loads(plain)
    return said.keys() == told.keys() and {one["object"] for one in said["data"]} == {"video"}


def same_quote(printed: bytes, plain: bytes) -> bool:
    """Say whether the same was quoted; the bounds look at the bytes of a body, blanks among them."""
    said, told = json.loads(printed), json.loads(plain)
    return all(said[name] == told[name] for name in ("model", "output_tokens", "price_version")) and (
        said["input_tokens"]["expected"] == told["input_tokens"]["expected"]
    )


# Music that is submitted, and the tasks of DashScope.
MUSIC = tuple(
    operation.id
    for operation in TABLE
    if operation.errors == "suno" and not operation.id.partition(".")[2].startswith("fetch")
)
TASKS = (
    "dashscope.image",
    "dashscope.image_edit",
    "dashscope.image_generation",
    "dashscope.video",
    "dashscope.frames",
    "dashscope.transcription",
)
SERVED: dict[str, Same] = {
    "chat.completions": same_answer,
    "apps.chat": same_choices,
    "completions": same_answer,
    "embeddings": same_answer,
    "rerank": same_answer,
    "moderations": same_answer,
    "images.generations": same_answer,
    "images.edits": same_pictures,
    "images.variations": same_pictures,
    "audio.speech": same_file,
    "videos.create": same_film,
    "videos.show": same_answer,
    "videos.content": same_file,
    "videos.list": same_films,
    "videos.delete": same_gone,
    "videos.remix": same_film,
    "videos.edits": same_film,
    "results.show": same_file,
    "audio.transcriptions": same_answer,
    "audio.translations": same_answer,
    "responses": same_response,
    "responses.input_tokens": same_answer,
    "responses.compact": same_folded,
    "responses.cancel": same_ended,
    "responses.show": same_answer,
    "responses.delete": same_gone,
    "responses.input_items": same_answer,
    "anthropic.messages": same_message,
    "anthropic.count_tokens": same_answer,
    "gemini.generate": same_content_of_gemini,
    "gemini.stream": same_content_of_gemini,
    "gemini.count": same_answer,
    "gemini.embed": same_answer,
    "gemini.batch_embed": same_answer,
    "gemini.models.list": same_answer,
    "gemini.models.show": same_answer,
    "dashscope.text": same_output,
    "dashscope.multimodal": same_output,
    "dashscope.text_embedding": same_output,
    "dashscope.multimodal_embedding": same_output,
    "dashscope.rerank": same_output,
    "dashscope.upload_policy": same_policy,
    **dict.fromkeys(TASKS, same_waiting),
    "dashscope.task": same_task,
    "dashscope.tasks": same_list,
    "dashscope.task_cancel": same_request_id,
    **dict.fromkeys(MUSIC, same_submitted),
    "suno.fetch": same_job,
    "music.fetch": same_job,
    "music.fetch_many": same_job,
    "models.list": same_answer,
    "models.show": same_answer,
    "balance": same_answer,
    "quote": same_quote,
    "usage.list": same_answer,
    "jobs.list": same_list,
    "jobs.show": same_job,
    "jobs.events": same_job,
    "jobs.cancel": same_cancelled,
    "jobs.delete": same_gone,
    "jobs.webhook_secret": same_answer,
    "usage.show": same_answer,
    "health": same_answer,
    "readiness": same_answer,
    "metrics": same_metrics,
    "upstreams": same_upstreams,
    "reference.openapi": same_answer,
    "reference.collection": same_answer,
    "reference.llms": same_answer,
    "reference.page": same_answer,
    "reference.picture": same_file,
}


# Operations of which there is nothing to show: some only say why they are refused, one takes a form that another
# fills, and one the token of a job that a vendor has.
UNSHOWN = (
    "dashscope.upload",
    "videos.extensions",
    "videos.characters",
    "jobs.callback",
)

# Operations whose bodies reach the vendor as they are, and those that are answered without one.
FORWARDED = (
    "chat.completions",
    "completions",
    "embeddings",
    "rerank",
    "moderations",
    "images.generations",
    "audio.speech",
)
# Operations that reach the vendor as forms.
FORMS = ("images.edits", "images.variations", "videos.create", "audio.transcriptions", "audio.translations")
UNSENT = ("quote", "responses.input_tokens", "anthropic.count_tokens", "gemini.count", "music.fetch_many")
# Operations that a vendor is asked for in words of its own.
REWORDED = (*MUSIC, *TASKS, "videos.remix", "videos.edits")
CANCELS = ("jobs.cancel", "dashscope.task_cancel")


def kinds() -> tuple[Kind, ...]:
    """Return every kind, in the order of the pages."""
    return tuple(_kinds())


def content_of(kind: Kind, plain: bytes) -> Any:
    """Return what an SDK's sample prints of an answer."""
    match kind:
        case Kind("chat.completions", stream=True):
            return "".join(_delta(line) for line in _lines(plain))
        case Kind("chat.completions") | Kind("apps.chat"):
            return json.loads(plain)["choices"][0]["message"]["content"]
        case Kind("responses"):
            return text_of(json.loads(plain))
        case Kind("completions"):
            return json.loads(plain)["choices"][0]["text"]
        case Kind("embeddings"):
            return json.loads(plain)["data"][0]["embedding"][:8]
        case Kind("images.generations"):
            return json.loads(plain)["data"][0]["b64_json"]
        case Kind("models.list"):
            return "\n".join(model["id"] for model in json.loads(plain)["data"])
        case _:
            return _said_by_another(kind, plain)


def _said_by_another(kind: Kind, plain: bytes) -> str:
    """Return what the SDK of another vendor than OpenAI prints."""
    match kind:
        case Kind("anthropic.messages"):
            return "".join(block.get("text", "") for block in json.loads(plain)["content"])
        case Kind("gemini.generate"):
            return _parts_of(json.loads(plain))
        case Kind("gemini.stream"):
            return "".join(_parts_of(json.loads(line.removeprefix("data: "))) for line in _lines(plain))
        case Kind("dashscope.text"):
            return json.loads(plain)["output"]["choices"][0]["message"]["content"]
        case Kind("dashscope.multimodal"):
            return "".join(part["text"] for part in json.loads(plain)["output"]["choices"][0]["message"]["content"])
        case _:
            raise AssertionError(f"no SDK has {kind}")


def same_content(kind: Kind, printed: bytes, plain: bytes) -> bool:
    """Say whether an SDK's sample printed the answer's content."""
    text, expected = printed.decode().strip(), content_of(kind, plain)
    if isinstance(expected, str):
        return text == expected.strip() != ""
    found = json.loads(text)
    return len(found) == len(expected) and all(
        abs(one - other) < 1e-6 for one, other in zip(found, expected, strict=True)
    )


def _kinds() -> Iterator[Kind]:
    for operation in SERVED:
        examples = [example for example in operation_words()[operation].example if not example.kind]
        if not examples:
            yield Kind(operation)
        for number, example in enumerate(examples):
            body = json.loads(example.body)
            stream = operation == "gemini.stream" or body.get("stream") is True
            yield Kind(operation, number, stream, body.get("background") is True)


def _without(text: bytes, name: str) -> dict[str, Any]:
    """Return an object without one of its members, and without signatures."""
    return {member: value for member, value in json.loads(_unsigned(text)).items() if member != name}


def _unsigned(text: bytes) -> bytes:
    return re.sub(rb"expires=\d+(&|\\u0026)signature=[\w-]+", b"", text)


def _value(text: bytes) -> Any:
    return json.loads(text, parse_int=float)  # as JavaScript has numbers


def _lines(text: bytes) -> list[str]:
    return [line.rstrip() for line in text.decode().splitlines() if line.strip()]


def _names_of(text: bytes) -> set[str]:
    return {line for line in _lines(text) if line.startswith("# TYPE")}


def _parts_of(reply: Any) -> str:
    """Return the text of a reply, or of a chunk, in Gemini's format."""
    return "".join(part.get("text", "") for part in reply["candidates"][0]["content"].get("parts", ()))


def _delta(line: str) -> str:
    data = line.removeprefix("data: ")
    if data == "[DONE]":
        return ""
    choices: list[Any] = json.loads(data)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""
