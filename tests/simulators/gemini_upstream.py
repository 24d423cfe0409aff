"""A simulated Google: answers generateContent and its siblings as strictly as the vendor, from the request alone.

    with GeminiUpstream() as google:
        client = genai.Client(api_key=KEY, http_options={"base_url": google.base_url})

What the last user text says decides the answer:

    call NAME {"a": 1}          a function call; one on each line makes parallel calls
    blocked prompt              no candidate, promptFeedback
    unsafe answer               finishReason SAFETY, no content
    broken call                 finishReason MALFORMED_FUNCTION_CALL
    anything else               "You said: ..." with what else was in the turn

Models: those of `MODELS`; `error-STATUS` answers with that error. Signatures of models from 3 on are verified.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.simulators.gemini_rules import Json, Refused, check_request, known, listed, member, series, sign
from tests.simulators.image_upstream import png
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream

KEY = "AIzaSimulatedKey0123456789abcdefghijk"
MODELS = (
    "gemini-3-flash-preview",
    "gemini-3.1-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-2.0-flash",
    "gemini-3-pro-image-preview",
    "gemini-2.5-flash-preview-tts",
    "gemini-embedding-001",
)
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060"
        "000000050001a5f645400000000049454e44ae426082"
    )
).decode()
IMAGE_TOKENS = 258
SIZES = {"1:1": (1024, 1024), "3:2": (1248, 832), "2:3": (832, 1248), "16:9": (1344, 768), "9:16": (768, 1344)}
TIMES = {"1K": 1, "2K": 2, "4K": 4}
THOUGHT = "Let me think about it."
_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GeminiUpstream(ThreadedUpstream):
    """The server, in a thread of its own. `requests` holds the bodies that were accepted, with their action."""

    def __init__(self) -> None:
        self.google = Google()
        super().__init__(self.google)

    @property
    def base_url(self) -> str:
        """What the SDK is configured with."""
        return f"http://127.0.0.1:{self.upstream.port}"

    @property
    def requests(self) -> list[tuple[str, Json]]:
        return self.google.requests


class Google:
    """Answers one call after another."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Json]] = []
        self.models: tuple[str, ...] = MODELS

    def __call__(self, call: Call) -> Reply:
        address = urlsplit(call.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        try:
            _check_key(call.headers.get("x-goog-api-key") or query.get("key"))
            return self._answer(call, unquote(address.path), query)
        except Refused as refused:
            return _refusal(refused)

    def _answer(self, call: Call, path: str, query: dict[str, str]) -> Reply:
        found = re.fullmatch(r"/v1(?:beta)?/models(?:/([^:]+)(?::(\w+))?)?", path)
        if found is None:
            raise Refused("Requested entity was not found.", 404, "NOT_FOUND")
        model, action = found[1], found[2]
        if call.method == "GET" and action is None:
            return _json(_model(model, self.models) if model else _models(query, self.models))
        if call.method != "POST":
            raise Refused("Method not allowed.", 405, "UNIMPLEMENTED")
        if model.startswith("error-"):
            raise _error_of(int(model.removeprefix("error-")))
        _model(model, self.models)
        actions: dict[str, Callable[[str, Json, dict[str, str]], Reply]] = {
            "generateContent": _generate,
            "streamGenerateContent": _stream,
            "countTokens": _count,
            "embedContent": _embed,
            "batchEmbedContents": _batch_embed,
        }
        if action not in actions:
            raise Refused("Requested entity was not found.", 404, "NOT_FOUND")
        try:
            body = json.loads(call.body)
        except ValueError:
            raise Refused("Invalid JSON payload received.") from None
        kinds = {"countTokens": "CountTokens", "embedContent": "Embed", "batchEmbedContents": "BatchEmbed"}
        request = known(body, kinds.get(action, "Request"))
        reply = actions[action](model, request, query)
        self.requests.append((action, request))
        return reply


def _check_key(key: str | None) -> None:
    if not key:
        raise Refused(
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key "
            "or other form of API consumer identity to call this API.",
            403,
            "PERMISSION_DENIED",
        )
    if key != KEY:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        raise Refused("API key not valid. Please pass a valid API key.", details=[info])


def _error_of(code: int) -> Refused:
    details: list[Json] = []
    if code == 429:
        details = [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"},
        ]
    return Refused(f"The simulated vendor answers {code}.", code, _STATUS[code], details)


def _refusal(refused: Refused) -> Reply:
    error: Json = {"code": refused.code, "message": refused.message, "status": refused.status}
    if refused.details:
        error["details"] = refused.details
    return _json({"error": error}, refused.code)


def _models(query: dict[str, str], known: tuple[str, ...]) -> Json:
    begin = int(query.get("pageToken", 0))
    size = int(query.get("pageSize", 50))
    page: Json = {"models": [_model(name, known) for name in known[begin : begin + size]]}
    return page | {"nextPageToken": str(begin + size)} if begin + size < len(known) else page


def _model(name: str, known: tuple[str, ...]) -> Json:
    if name not in known:
        raise Refused(
            f"models/{name} is not found for API version v1beta, or is not supported for generateContent. Call "
            "ListModels to see the list of available models and their supported methods.",
            404,
            "NOT_FOUND",
        )
    methods = ["embedContent", "batchEmbedContents"] if "embedding" in name else ["generateContent", "countTokens"]
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": methods,
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": series(name) >= 2.5,
    }


def _generate(model: str, request: Json, query: dict[str, str]) -> Reply:
    check_request(request, model)
    return _json(_whole(model, request))


def _stream(model: str, request: Json, query: dict[str, str]) -> Reply:
    check_request(request, model)
    chunks = list(_chunks(_whole(model, request)))
    if query.get("alt") == "sse":
        pieces = [b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n" for chunk in chunks]
        return Reply(headers={"content-type": "text/event-stream"}, pieces=pieces)
    pieces = [json.dumps(chunk, ensure_ascii=False, indent=2).encode() for chunk in chunks]
    framed = [(b"[" if not index else b",\r\n") + piece for index, piece in enumerate(pieces)]
    return Reply(headers={"content-type": "application/json; charset=UTF-8"}, pieces=[*framed, b"\n]\n"])


def _chunks(whole: Json) -> list[Json]:
    """Cut a whole reply into what a stream says, with usage on every chunk and the reason on the last."""
    head = {name: whole[name] for name in ("usageMetadata", "modelVersion", "responseId")}
    if "candidates" not in whole:
        return [whole]
    chunks: list[Json] = []
    for candidate in whole["candidates"]:
        parts = listed(member(candidate, "content"), "parts")
        last: Json = {name: value for name, value in candidate.items() if name != "content"}
        for at, part in enumerate(parts):
            if at and "functionCall" in part and "functionCall" in parts[at - 1]:
                chunks[-1]["candidates"][0]["content"]["parts"].append(part)  # calls of one step come together
                continue
            for piece in _pieces(part):
                content = {"parts": [piece], "role": "model"}
                chunks.append({"candidates": [{"content": content, "index": candidate["index"]}], **head})
        if parts and "text" in parts[-1]:
            seal = chunks[-1]["candidates"][0]["content"]["parts"][0].pop("thoughtSignature", None)
            end: Json = {"text": ""} if seal is None else {"text": "", "thoughtSignature": seal}
            last = {"content": {"parts": [end], "role": "model"}, **last}
        elif parts:
            last = {**chunks.pop()["candidates"][0], **last}
        chunks.append({"candidates": [last], **head})
    return chunks


def _pieces(part: Json) -> list[Json]:
    if "text" not in part:
        return [part]
    words = re.findall(r"\S+\s*|\s+", part["text"]) or [""]
    flags = {"thought": True} if part.get("thought") else {}
    pieces: list[Json] = [{"text": word, **flags} for word in words]
    if "thoughtSignature" in part:
        pieces[-1]["thoughtSignature"] = part["thoughtSignature"]
    return pieces


def _whole(model: str, request: Json) -> Json:
    config = member(request, "generationConfig")
    last = next(content for content in reversed(request["contents"]) if content.get("role", "user") != "model")
    text = " ".join(part["text"] for part in last["parts"] if "text" in part) or _next(last)
    head: Json = {"modelVersion": model, "responseId": _id(request)}
    if "blocked prompt" in text:
        usage = {"promptTokenCount": _prompt_tokens(request), "totalTokenCount": _prompt_tokens(request)}
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage, **head}
    reasons = {"unsafe answer": "SAFETY", "broken call": "MALFORMED_FUNCTION_CALL"}
    for words, reason in reasons.items():
        if words in text:
            candidate: Json = {"finishReason": reason, "index": 0, "finishMessage": f"Ended for {reason}."}
            return {"candidates": [candidate], "usageMetadata": _usage(request, [], 0), **head}
    thought = _thought(config, model)
    parts, extra = _parts(model, request, text, last)
    thoughts = len(thought.split())
    parts, reason = _cut(parts, config, thoughts)
    if thought and member(config, "thinkingConfig").get("includeThoughts"):
        parts = [{"text": thought, "thought": True}, *parts]
    candidates: list[Json] = [
        {"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": index, **extra}
        for index in range(config.get("candidateCount", 1))
    ]
    return {"candidates": candidates, "usageMetadata": _usage(request, parts, thoughts), **head}


def _next(content: Json) -> str:
    """Return what comes after NEXT in the answers of functions: the model does it as if the user had said it."""
    answers = (part["functionResponse"]["response"] for part in content["parts"] if "functionResponse" in part)
    return "".join(str(answer.get("result", "")).partition("NEXT ")[2] for answer in answers)


def _thought(config: Json, model: str) -> str:
    thinking = member(config, "thinkingConfig")
    if series(model) < 2.5 or thinking.get("thinkingBudget") == 0 or "tts" in model:
        return ""
    return THOUGHT


def _parts(model: str, request: Json, text: str, last: Json) -> tuple[list[Json], Json]:
    """Return the parts of the answer, and what else its candidate holds."""
    config = member(request, "generationConfig")
    answers = [part["functionResponse"] for part in last["parts"] if "functionResponse" in part]
    calls = _calls(request, text)
    modalities = listed(config, "responseModalities")
    if calls and (not answers or _next(last)):
        parts = [
            {"functionCall": {"id": f"call-{_id(request)[:6]}-{at}", "name": name, "args": args}}
            for at, (name, args) in enumerate(calls)
        ]
        return ([sign(parts[0]), *parts[1:]] if series(model) >= 3 else parts), {}
    if "AUDIO" in modalities:
        sound = base64.b64encode(text.encode("utf-16-le")).decode()
        return [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": sound}}], {}
    if "IMAGE" in modalities or "-image" in model:
        return [{"text": "Here it is."}, sign({"inlineData": {"mimeType": "image/png", "data": _picture(config)}})], {}
    if any("codeExecution" in tool for tool in listed(request, "tools")) and "run" in text:
        code = {"executableCode": {"language": "PYTHON", "code": "print(6 * 7)"}}
        result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42\n"}}
        return [code, result, {"text": "It is 42."}], {}
    said = _said(config, text, answers, last)
    part: Json = {"text": said}
    extra: Json = {}
    if any("googleSearch" in tool for tool in listed(request, "tools")):
        extra["groundingMetadata"] = _grounding(said)
    if config.get("responseLogprobs"):
        extra["logprobsResult"] = _logprobs(said, config.get("logprobs", 0))
    return [sign(part) if series(model) >= 3 else part], extra


def _calls(request: Json, text: str) -> list[tuple[str, Json]]:
    functions = {one["name"]: one for tool in listed(request, "tools") for one in listed(tool, "functionDeclarations")}
    choice = member(member(request, "toolConfig"), "functionCallingConfig")
    if not functions or choice.get("mode") == "NONE":
        return []
    allowed = listed(choice, "allowedFunctionNames") or list(functions)
    asked = re.findall(r"^call ([\w.:-]+) (\{.*\})$", text, re.MULTILINE)
    calls: list[tuple[str, Json]] = [(name, json.loads(args)) for name, args in asked if name in allowed]
    if not calls and choice.get("mode") == "ANY":
        function = functions[allowed[0]]
        schema = member(function, "parametersJsonSchema") or member(function, "parameters")
        calls = [(allowed[0], _example(schema))]
    return calls


def _said(config: Json, text: str, answers: list[Json], last: Json) -> str:
    if config.get("responseMimeType") == "application/json":
        schema = member(config, "responseJsonSchema") or member(config, "responseSchema")
        return json.dumps(_example(schema) if schema else {"said": text})
    if config.get("responseMimeType") == "text/x.enum":
        return config["responseSchema"]["enum"][0]
    if answers:
        return f"The functions said: {json.dumps([one.get('response', {}) for one in answers], ensure_ascii=False)}"
    seen = [part["inlineData"]["mimeType"] for part in last["parts"] if "inlineData" in part]
    seen += [part["fileData"]["fileUri"] for part in last["parts"] if "fileData" in part]
    return f"You said: {text}" + (f" I saw: {', '.join(seen)}" if seen else "")


def _example(schema: Json, defs: Json | None = None) -> Any:
    """Return the plainest value that fits a schema."""
    defs = defs or member(schema, "$defs") or member(schema, "defs")
    if "$ref" in schema or "ref" in schema:
        return _example(defs[str(schema.get("$ref") or schema.get("ref")).rsplit("/", 1)[-1]], defs)
    if schema.get("anyOf"):
        return _example(schema["anyOf"][0], defs)
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = [schema.get("type") or "object"] if not isinstance(schema.get("type"), list) else listed(schema, "type")
    kind = str(kinds[0]).lower()
    if kind == "object":
        return {name: _example(one, defs) for name, one in member(schema, "properties").items()}
    if kind == "array":
        return [_example(member(schema, "items") or {"type": "string"}, defs)]
    return {"string": schema.get("description", "text"), "integer": 7, "number": 1.5, "boolean": True}.get(kind)


def _grounding(said: str) -> Json:
    return {
        "webSearchQueries": ["what the user said", "what the user said today"],
        "groundingChunks": [
            {"web": {"uri": "https://example.com/a", "title": "A page", "domain": "example.com"}},
            {"web": {"uri": "https://example.com/b", "title": "B page", "domain": "example.com"}},
        ],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": len(said.encode()), "text": said},
                "groundingChunkIndices": [0, 1],
            }
        ],
        "searchEntryPoint": {"renderedContent": "<div>search</div>"},
    }


def _logprobs(said: str, top: int) -> Json:
    chosen = [{"token": word, "tokenId": at, "logProbability": -0.25} for at, word in enumerate(said.split())]
    tops = [{"candidates": [{**one, "logProbability": -0.25 - at} for at in range(top)]} for one in chosen]
    return {"chosenCandidates": chosen, "topCandidates": tops}


def _cut(parts: list[Json], config: Json, thoughts: int) -> tuple[list[Json], str]:
    """End the text at a stop sequence, or at the output cap, where a word is a token; thoughts are under the cap."""
    cut: list[Json] = []
    for part in parts:
        text = part.get("text")
        if text is None:
            cut.append(part)
            continue
        ends = [text.find(stop) for stop in listed(config, "stopSequences") if stop in text]
        words = re.findall(r"\S+\s*|^\s+", text[: min(ends)] if ends else text)
        cap = max(0, config["maxOutputTokens"] - thoughts) if "maxOutputTokens" in config else len(words)
        cut.append({**part, "text": "".join(words[:cap])})
        if len(words) > cap:
            return cut, "MAX_TOKENS"
    return cut, "STOP"


def _tokens(part: Json) -> int:
    if "inlineData" in part or "fileData" in part:
        return IMAGE_TOKENS
    if "text" in part:
        return len(part["text"].split())
    return len(json.dumps(part.get("functionCall") or part.get("functionResponse") or {}).split())


def _prompt_tokens(request: Json) -> int:
    contents = [*request["contents"], member(request, "systemInstruction")]
    return sum(_tokens(part) for content in contents for part in listed(content, "parts"))


def _picture(config: Json) -> str:
    """Return a picture of the ratio and the resolution that were asked for, else a small one."""
    asked = member(config, "imageConfig")
    if not asked:
        return PNG
    if asked.get("imageSize", "1K") not in TIMES or asked.get("aspectRatio", "1:1") not in SIZES:
        raise Refused("Invalid value at 'generation_config.image_config'.")
    times = TIMES[asked.get("imageSize", "1K")]
    width, height = SIZES[asked.get("aspectRatio", "1:1")]
    return base64.b64encode(png(width * times, height * times)).decode()


def _usage(request: Json, parts: list[Json], thoughts: int) -> Json:
    prompt = _prompt_tokens(request)
    media = sum(_tokens(part) for content in request["contents"] for part in content["parts"] if "inlineData" in part)
    count = member(request, "generationConfig").get("candidateCount", 1)
    written = count * sum(_tokens(part) for part in parts if not part.get("thought"))
    details = [{"modality": "TEXT", "tokenCount": prompt - media}]
    usage: Json = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": written,
        "totalTokenCount": prompt + written + thoughts,
        "promptTokensDetails": [*details, {"modality": "IMAGE", "tokenCount": media}] if media else details,
    }
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    if "cachedContent" in request or "cached prompt" in json.dumps(request["contents"]):
        usage["cachedContentTokenCount"] = 1
    pictures = count * sum(IMAGE_TOKENS for part in parts if "inlineData" in part)
    if pictures:
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": pictures}]
    return usage


def _count(model: str, request: Json, query: dict[str, str]) -> Reply:
    inner = request.get("generateContentRequest") or request
    check_request(inner, model)
    total = _prompt_tokens(inner)
    return _json({"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})


def _embed(model: str, request: Json, query: dict[str, str]) -> Reply:
    return _json({"embedding": _vector(request)})


def _batch_embed(model: str, request: Json, query: dict[str, str]) -> Reply:
    for one in listed(request, "requests"):
        if one.get("model") != f"models/{model}":
            raise Refused("The model of each request must match the model in the path.")
    return _json({"embeddings": [_vector(one) for one in listed(request, "requests")]})


def _vector(request: Json) -> Json:
    parts = listed(member(request, "content"), "parts")
    if not parts:
        raise Refused("* EmbedContentRequest.content: content is required")
    digest = hashlib.sha256(" ".join(part["text"] for part in parts).encode()).digest()
    size = request.get("outputDimensionality", 8)
    return {"values": [digest[at % 32] / 256 for at in range(size)]}


def _id(request: Json) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:24]


def _json(value: Json, status: int = 200) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, {"content-type": "application/json; charset=UTF-8"}, body)
