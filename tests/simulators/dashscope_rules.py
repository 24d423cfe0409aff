"""What DashScope refuses: a request that breaks a rule of the vendor's raises `Refused`, in the vendor's words."""

from collections.abc import Callable
from typing import Any

from tokengate.formats.dashscope.shapes import is_list, is_object

TEXT = "/services/aigc/text-generation/generation"
MULTIMODAL = "/services/aigc/multimodal-generation/generation"
TEXT_EMBEDDING = "/services/embeddings/text-embedding/text-embedding"
MULTIMODAL_EMBEDDING = "/services/embeddings/multimodal-embedding/multimodal-embedding"
RERANK = "/services/rerank/text-rerank/text-rerank"

# Snapshots of a model, for tests after which a gateway does not ask a model again for a while.
SNAPSHOTS = tuple(f"qwen-plus-2025-01-{day:02}" for day in range(1, 29))
# Which service serves a model.
MODELS = {
    **dict.fromkeys(SNAPSHOTS, TEXT),
    "qwen-plus": TEXT,
    "qwen-max": TEXT,
    "qwen3-max": TEXT,
    "qwen-mt-plus": TEXT,
    "qwq-plus": TEXT,
    "qwen-vl-max": MULTIMODAL,
    "qwen3-vl-plus": MULTIMODAL,
    "qwen3.5-plus": MULTIMODAL,
    "qvq-max": MULTIMODAL,
    "text-embedding-v4": TEXT_EMBEDDING,
    "multimodal-embedding-v1": MULTIMODAL_EMBEDDING,
    "qwen3-rerank": RERANK,
}
# Models that make pictures, and how many of them they take, and make at once.
DRAWS = {"qwen-image": (0, 1), "qwen-image-edit": (3, 1), "qwen-image-edit-plus": (3, 6), "wan2.6-t2i": (0, 4)}
# Models that speak, and whether they follow instructions; and what the oldest of them is paid by.
SPEAKS = {"qwen3-tts-flash": False, "qwen3-tts-instruct-flash": True, "qwen-tts": False}
SPEAKS_BY_TOKENS = "qwen-tts"
HEARS = ("qwen3-asr-flash", "qwen3-asr-flash-2025-09-08")  # while their callers wait
VOICES = ("Cherry", "Serena", "Ethan", "Chelsie", "Dylan", "Jada", "Sunny")
LANGUAGES = ("Auto", "Chinese", "English", "German", "Italian", "Portuguese", "Spanish", "Japanese", "Korean", "French")
MUST_STREAM = {"qwq-plus", "qvq-max"}
_MEDIA = ("image", "video", "audio")


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad(message: str, code: str = "InvalidParameter") -> Refused:
    return Refused(400, code, f"<400> InternalError.Algo.InvalidParameter: {message}")


def check(path: str, body: Any, *, stream: bool, resolve: bool, uploads: dict[str, bytes]) -> None:
    """Check a request to a service. `resolve`: it asks for addresses in the vendor's storage to be looked up."""
    _only(body, {"model", "input", "parameters"}, "")
    for name, code in (("model", "BadRequest.EmptyModel"), ("input", "BadRequest.EmptyInput")):
        if not body.get(name):
            raise Refused(400, code, f"Required {name} missing.")
    model, asked, parameters = body["model"], body["input"], body.get("parameters", {})
    if not is_object(asked) or not is_object(parameters):
        raise bad("input and parameters must be objects")
    if model not in MODELS and model not in DRAWS and model not in SPEAKS and model not in HEARS:
        raise Refused(404, "model_not_found", f"model '{model}' not found or no enabled endpoints")
    if MODELS.get(model, MULTIMODAL) != path:
        raise Refused(400, "InvalidParameter", "url error, please check url！")
    if model in DRAWS:
        _check_drawing(model, asked, parameters, stream=stream)
    elif model in SPEAKS:
        _check_speech(model, asked, parameters)
    elif model in HEARS:
        _check_hearing(asked, parameters, resolve=resolve, uploads=uploads)
    else:
        _check_service(path, model, asked, parameters, stream=stream, resolve=resolve, uploads=uploads)


def _check_service(
    path: str, model: str, asked: Any, parameters: Any, *, stream: bool, resolve: bool, uploads: dict[str, bytes]
) -> None:
    match path:
        case "/services/embeddings/text-embedding/text-embedding":
            _check_texts(asked, parameters)
        case "/services/embeddings/multimodal-embedding/multimodal-embedding":
            _check_contents(asked, parameters)
        case "/services/rerank/text-rerank/text-rerank":
            _check_documents(asked, parameters)
        case _:
            _check_chat(path, model, asked, parameters, stream=stream)
            for url in _urls(asked.get("messages", [])):
                if url.startswith("oss://") and not (resolve and url in uploads):
                    raise bad("The provided URL does not appear to be valid.")


def _check_texts(asked: Any, parameters: Any) -> None:
    _only(asked, {"texts"}, "input.")
    _only(parameters, {"text_type", "dimension", "output_type", "instruct"}, "parameters.")
    if not _texts(asked.get("texts")) or len(asked["texts"]) > 10:
        raise bad("batch size is invalid, it should not be larger than 10.")
    if parameters.get("dimension", 1024) not in (64, 128, 256, 512, 768, 1024, 1536, 2048):
        raise bad("Value error, dimension is invalid")


def _check_contents(asked: Any, parameters: Any) -> None:
    _only(asked, {"contents"}, "input.")
    _only(parameters, {"dimension", "output_type", "instruct"}, "parameters.")
    if not asked.get("contents") or not all(len(set(one) & {"text", *_MEDIA}) == 1 for one in asked["contents"]):
        raise bad("contents is invalid")


def _check_drawing(model: str, asked: Any, parameters: Any, *, stream: bool) -> None:
    if stream:
        raise bad("stream is not supported")
    _only(asked, {"messages"}, "input.")
    _only(parameters, {"n", "size", "negative_prompt", "seed", "prompt_extend", "watermark"}, "parameters.")
    messages = asked.get("messages")
    if not is_list(messages) or len(messages) != 1 or messages[0].get("role") != "user":
        raise bad("messages length only support 1")
    content = messages[0]["content"]
    if not is_list(content) or sum("text" in part for part in content) != 1:
        raise bad("content must have one text")
    pictures = sum("image" in part for part in content)
    takes, makes = DRAWS[model]
    if pictures > takes or (takes and not pictures):
        raise bad(f"num_images must be {'0' if not takes else f'in [1, {takes}]'}")
    if not _integer(1, makes)(parameters.get("n", 1)):
        raise bad(f"num_images_per_prompt must be {makes}")
    size = parameters.get("size", "1664*928").split("*")
    if len(size) != 2 or not all(side.isdigit() and 512 <= int(side) <= 2048 for side in size):
        raise bad("size is invalid")
    if not _integer(0, 2**31 - 1)(parameters.get("seed", 0)):
        raise bad("seed is invalid")


def _check_speech(model: str, asked: Any, parameters: Any) -> None:
    own = {"language_type", "instructions", "optimize_instructions"}
    _only(asked, {"text", "voice", *own}, "input.")
    _only(parameters, own, "parameters.")
    if type(asked.get("text")) is not str or not 1 <= characters(asked["text"]) <= 600:
        raise bad("Range of input length should be [1, 600]")
    if asked.get("voice") not in VOICES:
        raise bad(f"Voice '{asked.get('voice')}' is not supported.")
    told = {**parameters, **asked}
    if told.get("language_type", "Auto") not in LANGUAGES:
        raise bad("language_type is invalid")
    if own & told.keys() - {"language_type"} and not SPEAKS[model]:
        raise bad("instructions is not supported by this model")


def _check_hearing(asked: Any, parameters: Any, *, resolve: bool, uploads: dict[str, bytes]) -> None:
    _only(asked, {"messages"}, "input.")
    _only(parameters, {"asr_options", "result_format", "incremental_output"}, "parameters.")
    _only(parameters.get("asr_options", {}), {"language", "enable_itn", "enable_lid"}, "parameters.asr_options.")
    messages: list[Any] = asked.get("messages") or [{}]
    shapes = [(message.get("role"), [list(part) for part in message.get("content", ())]) for message in messages]
    if shapes[-1] != ("user", [["audio"]]) or shapes[:-1] not in ([], [("system", [["text"]])]):
        raise bad("The input must be one audio, after an optional context.")
    (url,) = _urls(messages[-1:])
    if url.startswith("oss://") and not (resolve and url in uploads):
        raise bad("The provided URL does not appear to be valid.")
    if not url.startswith(("http", "oss://", "data:audio/")):
        raise bad("The audio is invalid.")


def characters(text: str) -> int:
    """Return how many characters a text is paid as: a Han character is two."""
    return len(text) + sum("\u4e00" <= one <= "\u9fff" for one in text)


def _check_documents(asked: Any, parameters: Any) -> None:
    _only(asked, {"query", "documents"}, "input.")
    _only(parameters, {"top_n", "return_documents", "instruct"}, "parameters.")
    if type(asked.get("query")) is not str or not _texts(asked.get("documents")):
        raise bad("query and documents are needed")


def _between(low: float, high: float, *, low_in: bool = True, high_in: bool = True) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if type(value) not in (int, float):
            return False
        return (low < value or (low_in and value == low)) and (value < high or (high_in and value == high))

    return fits


def _integer(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _flag(value: Any) -> bool:
    return type(value) is bool


def _texts(value: Any) -> bool:
    return is_list(value) and bool(value) and all(type(one) is str and one for one in value)


def _stop(value: Any) -> bool:
    kinds: set[type] = {type(one) for one in value} if is_list(value) else set()
    return type(value) is str or (is_list(value) and len(kinds) <= 1)


PARAMETERS: dict[str, Callable[[Any], bool]] = {
    "result_format": lambda value: value in ("text", "message"),
    "incremental_output": _flag,
    "temperature": _between(0, 2, high_in=False),
    "top_p": _between(0, 1, low_in=False),
    "top_k": _integer(0, 1000),
    "max_tokens": _integer(1, 32768),
    "max_completion_tokens": _integer(1, 32768),
    "seed": _integer(0, 2**64 - 1),
    "stop": _stop,
    "repetition_penalty": _between(0, 100, low_in=False),
    "presence_penalty": _between(-2, 2),
    "logit_bias": is_object,
    "n": _integer(1, 4),
    "logprobs": _flag,
    "top_logprobs": _integer(0, 5),
    "response_format": lambda value: is_object(value) and value.get("type") in ("text", "json_object", "json_schema"),
    "tools": lambda value: is_list(value) and all(map(_tool, value)),
    "tool_choice": lambda value: value in ("auto", "none") or (is_object(value) and _tool(value)),
    "parallel_tool_calls": _flag,
    "enable_thinking": _flag,
    "thinking_budget": _integer(1, 100_000),
    "reasoning_effort": lambda value: value in ("minimal", "low", "medium", "high", "xhigh"),
    "enable_search": _flag,
    "search_options": is_object,
    "translation_options": lambda value: is_object(value) and "target_lang" in value,
    "vl_high_resolution_images": _flag,
}


def _tool(value: Any) -> bool:
    return is_object(value) and value.get("type") == "function" and type(value.get("function", {}).get("name")) is str


def _check_chat(path: str, model: str, asked: Any, parameters: Any, *, stream: bool) -> None:
    _only(asked, {"messages", "prompt", "history"}, "input.")
    _only(parameters, set(PARAMETERS), "parameters.")
    for name, value in parameters.items():
        if not PARAMETERS[name](value):
            raise bad(f"{name} is invalid")
    if model in MUST_STREAM and not stream:
        raise bad("This model only support stream mode, please enable the stream parameter to access the model.")
    if "messages" in asked:
        _check_messages(path, asked["messages"])
    elif type(asked.get("prompt")) is not str or not asked["prompt"]:
        raise bad("Role must be user or assistant and Content length must be greater than 0")
    wanted = parameters.get("response_format", {}).get("type")
    if wanted == "json_object" and "json" not in str(asked).lower():
        raise bad(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
    if wanted == "json_schema" and "schema" not in parameters["response_format"].get("json_schema", {}):
        raise bad("response_format.json_schema.schema is required")


def _check_messages(path: str, messages: Any) -> None:
    if not is_list(messages) or not messages:
        raise bad('Role must be in ["user","assistant","system","function","plugin","tool"]')
    open_calls: set[str] = set()
    for message in messages:
        known = {"role", "content", "name", "partial", "reasoning_content", "tool_calls", "tool_call_id"}
        _only(message, known, "messages.")
        role = message.get("role")
        if role not in ("system", "user", "assistant", "tool"):
            raise bad('Role must be in ["user","assistant","system","function","plugin","tool"]')
        _check_content(path, message.get("content"), empty=role == "assistant" and bool(message.get("tool_calls")))
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise bad('messages with role "tool" must be a response to a preceding message with "tool_calls".')
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            raise bad('An assistant message with "tool_calls" must be followed by tool messages responding to each.')
        for call in message.get("tool_calls", ()):
            if not _tool(call) or type(call.get("id")) is not str or type(call["function"].get("arguments")) is not str:
                raise bad("tool_calls is invalid")
            open_calls.add(call["id"])
    last = messages[-1]
    if open_calls or (last["role"] not in ("user", "tool") and last.get("partial") is not True):
        raise bad('the role in last message must be in ["user","function","tool"]')


def _check_content(path: str, content: Any, *, empty: bool) -> None:
    if type(content) is str:
        if not content and not empty:
            raise bad("Content length must be greater than 0")
        return
    if not is_list(content) or not (content or empty):
        raise bad("content must be a string or a list")
    kinds = {"text", *(_MEDIA if path == MULTIMODAL else ())}
    hints = {"cache_control", "min_pixels", "max_pixels", "total_pixels", "max_frames", "fps"}
    for entry in content:
        if not is_object(entry) or len(entry.keys() & kinds) != 1 or entry.keys() - kinds - hints:
            raise bad("Input should be a valid list of text, image, video or audio")


def _urls(messages: Any) -> list[str]:
    urls: list[str] = []
    for message in messages:
        for entry in message["content"] if is_list(message.get("content")) else ():
            for kind in _MEDIA:
                value = entry.get(kind, [])
                urls += value if is_list(value) else [value]
    return urls


def _only(value: Any, known: set[str], where: str) -> None:
    if not is_object(value):
        raise bad(f"{where or 'the body'} must be an object")
    for name in value:
        if name not in known:
            raise bad(f"{where}{name} is not known")
