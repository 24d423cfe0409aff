"""Pictures as tasks in DashScope's own format: image synthesis from words (text2image) and from pictures (image2image),
and image generation, whose requests and answers are messages.

https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference, wan2-5-image-edit-api-reference and
wanx-image-edit-api-reference, 2026-11. A task of several pictures succeeds when one does; the others are not paid for.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.at_once import AtOnce
from tokengate.core.images import Draw, DrawingTold, Made, Size, read_size
from tokengate.core.jobs import JobRequest, JobState, Progress, Submitted, VendorFile
from tokengate.core.parts import NO_EXTRA, Extra, FileId, Source
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME, read_source, write_source
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.images import Asked, messages_of, parameters_of, read_message, refuse_words
from tokengate.formats.dashscope.models import ImageService, default_pictures, image_service
from tokengate.formats.dashscope.parameters import MAX_TASK_PICTURES, MAX_TASK_SEED, Body
from tokengate.formats.dashscope.refusal import missing, must_be, require_within
from tokengate.formats.dashscope.requests import read_object, read_others
from tokengate.formats.dashscope.shapes import NULL, encode, is_list, is_null, is_object
from tokengate.formats.dashscope.task_search import TaskSearch
from tokengate.formats.dashscope.tasks import Outcome, Tasks, nothing_made, read_state, read_submitted, text_of

TEXT_IMAGE_PATH: Final = "/services/aigc/text2image/image-synthesis"
IMAGE_IMAGE_PATH: Final = "/services/aigc/image2image/image-synthesis"
GENERATION_PATH: Final = "/services/aigc/image-generation/generation"

_PATHS: Final[dict[ImageService, str]] = {
    "text2image": TEXT_IMAGE_PATH,
    "image2image": IMAGE_IMAGE_PATH,
    "image-generation": GENERATION_PATH,
}
_EMPTY: Final = Raw(b"{}")
_FUNCTION: Final = "input.function"
_LARGE: Final = ("1K", "2K", "4K")  # sizes in words, which newer models take
_PARAMETER_WORDS: Final = ("prompt_extend", "watermark")  # that clients of OpenAI's format may send, too


def read_pictures(body: bytes, service: ImageService) -> Draw:
    """Read a client's request to a service. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    given, parameters = read_object(
        _EMPTY if is_null(wire.parameters) else wire.parameters, _decode_parameters, "parameters"
    )
    require_within("parameters.n", given.n, 1, MAX_TASK_PICTURES)
    require_within("parameters.seed", given.seed, 0, MAX_TASK_SEED)
    size = None if given.size is None else read_size(given.size)
    if given.size is not None and size is None and given.size not in _LARGE:
        raise must_be("parameters.size", "such as 1328*1328")
    extra = {**read_others(members, _BODY), **read_others(parameters, _PARAMETERS, "parameters.")}
    if given.size in _LARGE:
        extra["parameters.size"] = Raw(encode(given.size))
    pictures: tuple[Source, ...]
    if service == "image-generation":
        asked, input_members = read_object(wire.input, _decode_messages, "input")
        sources, texts = read_message(asked)
        pictures, prompt, negative = tuple(sources), "\n".join(texts), given.negative_prompt
        extra |= read_others(input_members, frozenset(Asked.__struct_fields__), "input.")
    else:
        synthesis, input_members = read_object(wire.input, _decode_input, "input")
        if not synthesis.prompt and _FUNCTION not in input_members:
            raise missing("input.prompt")
        own = synthesis.images or ([synthesis.base_image_url] if synthesis.base_image_url else [])
        pictures, prompt = tuple(map(read_source, own)), synthesis.prompt or ""
        negative = synthesis.negative_prompt or given.negative_prompt
        extra |= read_others(input_members, _INPUT, "input.")
        if service == "image2image" and not pictures:
            raise missing("input.images")
    return Draw(
        format=NAME,
        model=wire.model,
        task="edit" if pictures else "generation",
        prompt=prompt,
        pictures=pictures,
        n=given.n or default_pictures(wire.model),
        size=size,
        negative_prompt=negative,
        seed=given.seed,
        delivery="url",
        in_messages=service == "image-generation",
        extra=extra,
        essential=frozenset(name for name in extra if name.startswith("input.")),
    )


class DashScopePictures(Tasks, frozen=True, kw_only=True):
    """Implements `core.jobs.JobFormat` for pictures. `at_once` asks the models that are no tasks at the vendor."""

    at_once: AtOnce

    def submit(self, task: Draw, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported."""
        service = image_service(task.model)
        if service is None:
            return self.at_once.submit(_portable(task), losses, key=key, callback=callback)
        refuse_words(task, losses)
        if task.format != NAME:
            losses.foreign(replace(task, extra={n: raw for n, raw in task.extra.items() if n not in _PARAMETER_WORDS}))
        if service == "text2image" and task.pictures:
            raise losses.refuse("image")
        if service == "image2image" and not task.pictures:
            raise losses.refuse("prompt", "alone is not enough for a model that changes pictures")
        if any(isinstance(source, FileId) for source in task.pictures):
            raise losses.refuse("image", "must be an address or the bytes themselves, not a file's id")
        body = write_body(task.model, _asked(task, service), _parameters(task, service), _extra(task))
        return self.submission(_PATHS[service], body)

    def search(self, task: Draw) -> TaskSearch | None:
        """Return how pictures are looked for; None where no task is made, or none that repeats its prompt."""
        repeats = image_service(task.model) in ("text2image", "image2image") and task.prompt
        return TaskSearch(self.base, (task.prompt,)) if repeats else None

    def read_submitted(self, body: bytes, task: Draw) -> Submitted:
        """Read the answer to a submission, which may be the pictures. Raises UpstreamFailed."""
        if image_service(task.model) is None:
            return self.at_once.read_submitted(body, task)
        return read_submitted(body)

    def read_progress(self, body: bytes, task: Draw) -> Progress:
        """Read how far the pictures are. Raises UpstreamFailed."""
        said = read_state(body)
        if isinstance(said, Progress):
            return said
        made = list(_made(said))
        urls = [url for url, _ in made if url]
        if not urls:
            return nothing_made(said)
        size = _size(said) or task.size
        usage = ReportedUsage(Usage(image=len(urls), request=1), said.raw_usage, size=str(size) if size else None)
        return Progress(
            JobState.SUCCEEDED,
            percent=100,
            files=tuple(VendorFile(f"image-{at}.png", url=url) for at, url in enumerate(urls)),
            usage=usage,
            told=encode(DrawingTold(tuple(one for _, one in made))),
        )


def _made(said: Outcome) -> list[tuple[str, Made]]:
    """Return each picture's address, which is empty for one that failed, and what is said of it."""
    results = said.output.get("results")
    if is_list(results):
        return [_result(one) for one in results if is_object(one)]
    choices = said.output.get("choices")
    contents = [
        message.get("content")
        for choice in (choices if is_list(choices) else [])
        if is_object(choice) and is_object(message := choice.get("message"))
    ]
    parts = [part for content in contents if is_list(content) for part in content if is_object(part)]
    return [(url, Made()) for part in parts if (url := text_of(part, "image"))]


def _result(one: dict[str, Any]) -> tuple[str, Made]:
    url = text_of(one, "url")
    if url:
        return url, Made(text_of(one, "actual_prompt"))
    return "", Made(code=text_of(one, "code") or "InternalError", message=text_of(one, "message"))


def _size(said: Outcome) -> Size | None:
    width, height = said.usage.get("width"), said.usage.get("height")
    if type(width) is int and type(height) is int:
        return Size(width, height)
    return read_size(text_of(said.usage, "size"))


def _asked(task: Draw, service: ImageService) -> dict[str, Any]:
    if service == "image-generation":
        return messages_of(task)
    asked: dict[str, Any] = {"prompt": task.prompt} if task.prompt else {}
    if task.negative_prompt:
        asked["negative_prompt"] = task.negative_prompt
    sources = [write_source(source) for source in task.pictures]
    if "imageedit" in task.model:
        asked["base_image_url"] = sources[0]
        if _FUNCTION not in task.extra:
            asked["function"] = "description_edit"
    elif sources:
        asked["images"] = sources
    return asked


def _parameters(task: Draw, service: ImageService) -> dict[str, Any]:
    parameters = parameters_of(task)
    if service != "image-generation":
        parameters["negative_prompt"] = None  # which is part of the input there
    return parameters


def _extra(task: Draw) -> Extra:
    if task.format == NAME:
        return task.extra
    return {f"parameters.{name}": task.extra[name] for name in _PARAMETER_WORDS if name in task.extra}


def _portable(task: Draw) -> Draw:
    """Return the task with the words that the services of both kinds know under names that both read."""
    if task.format != NAME:
        return task
    names = {f"parameters.{name}": name for name in _PARAMETER_WORDS}
    return replace(task, extra={names[name]: raw for name, raw in task.extra.items() if name in names} or NO_EXTRA)


class _Input(Struct):
    prompt: str | None = None
    negative_prompt: str | None = None
    images: list[str] | None = None
    base_image_url: str | None = None


class _Parameters(Struct):
    n: int | None = None
    size: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    is_async: Raw = NULL  # which SDKs send beside the header


_BODY: Final = frozenset(Body.__struct_fields__)
_INPUT: Final = frozenset(_Input.__struct_fields__)
_PARAMETERS: Final = frozenset(_Parameters.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(_Input).decode
_decode_messages = msgspec.json.Decoder(Asked).decode
_decode_parameters = msgspec.json.Decoder(_Parameters).decode
