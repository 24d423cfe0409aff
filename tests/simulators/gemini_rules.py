"""What Google refuses: the members it knows, their types, and the rules of turns, tools and signatures.

Written from the vendor's documentation and the members that its SDK sends, without the product's code.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from typing import Any, cast

SECRET = b"the vendor's own"
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")

Json = dict[str, Any]


class Refused(Exception):
    """A request that the vendor answers with an error."""

    def __init__(self, message: str, code: int = 400, status: str = "INVALID_ARGUMENT", details: Any = None) -> None:
        super().__init__(message)
        self.message, self.code, self.status, self.details = message, code, status, details


# Names of members, and of each the kind: a name of this table, a Python type, a list of one of these, or ANY.
ANY = object()
NUMBER = (int, float)
MEMBERS: dict[str, dict[str, Any]] = {
    "Request": {
        "model": str,
        "contents": ["Content"],
        "systemInstruction": "Content",
        "tools": ["Tool"],
        "toolConfig": "ToolConfig",
        "safetySettings": ["SafetySetting"],
        "generationConfig": "GenerationConfig",
        "cachedContent": str,
        "labels": ANY,
        "serviceTier": str,
        "store": bool,
    },
    "Content": {"role": str, "parts": ["Part"]},
    "Part": {
        "text": str,
        "thought": bool,
        "thoughtSignature": str,
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": ANY,
        "codeExecutionResult": ANY,
        "toolCall": ANY,
        "toolResponse": ANY,
        "videoMetadata": "VideoMetadata",
        "mediaResolution": ANY,
        "partMetadata": ANY,
    },
    "Blob": {"mimeType": str, "data": str, "displayName": str},
    "FileData": {"mimeType": str, "fileUri": str, "displayName": str},
    "VideoMetadata": {"startOffset": str, "endOffset": str, "fps": NUMBER},
    "FunctionCall": {"id": str, "name": str, "args": dict},
    "FunctionResponse": {
        "id": str,
        "name": str,
        "response": dict,
        "parts": ["FunctionResponsePart"],
        "willContinue": bool,
        "scheduling": str,
    },
    "FunctionResponsePart": {"inlineData": "Blob", "fileData": "FileData"},
    "Tool": {
        "functionDeclarations": ["FunctionDeclaration"],
        "googleSearch": ANY,
        "googleSearchRetrieval": ANY,
        "codeExecution": ANY,
        "urlContext": ANY,
        "fileSearch": ANY,
        "googleMaps": ANY,
        "computerUse": ANY,
        "mcpServers": ANY,
    },
    "FunctionDeclaration": {
        "name": str,
        "description": str,
        "parameters": "Schema",
        "parametersJsonSchema": ANY,
        "response": "Schema",
        "responseJsonSchema": ANY,
        "behavior": str,
    },
    "Schema": {
        "type": str,
        "format": str,
        "title": str,
        "description": str,
        "nullable": bool,
        "enum": [str],
        "items": "Schema",
        "properties": {"*": "Schema"},
        "required": [str],
        "propertyOrdering": [str],
        "anyOf": ["Schema"],
        "additionalProperties": ANY,
        "defs": {"*": "Schema"},
        "ref": str,
        "default": ANY,
        "example": ANY,
        "pattern": str,
        "minimum": NUMBER,
        "maximum": NUMBER,
        **dict.fromkeys(
            ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"), (int, str)
        ),
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": ANY,
        "includeServerSideToolInvocations": bool,
    },
    "FunctionCallingConfig": {"mode": str, "allowedFunctionNames": [str]},
    "SafetySetting": {"category": str, "threshold": str},
    "GenerationConfig": {
        "temperature": NUMBER,
        "topP": NUMBER,
        "topK": NUMBER,
        "candidateCount": int,
        "maxOutputTokens": int,
        "stopSequences": [str],
        "seed": int,
        "presencePenalty": NUMBER,
        "frequencyPenalty": NUMBER,
        "responseMimeType": str,
        "responseSchema": "Schema",
        "responseJsonSchema": ANY,
        "responseLogprobs": bool,
        "logprobs": int,
        "responseModalities": [str],
        "mediaResolution": str,
        "speechConfig": ANY,
        "thinkingConfig": "ThinkingConfig",
        "imageConfig": "ImageConfig",
        "enableEnhancedCivicAnswers": bool,
    },
    "ThinkingConfig": {"includeThoughts": bool, "thinkingBudget": int, "thinkingLevel": str},
    "ImageConfig": {"aspectRatio": str, "imageSize": str},
    "CountTokens": {"contents": ["Content"], "generateContentRequest": "Request"},
    "Embed": {"model": str, "content": "Content", "taskType": str, "title": str, "outputDimensionality": int},
    "BatchEmbed": {"requests": ["Embed"]},
}
DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
_TO_STANDARD = str.maketrans("-_", "+/")
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})


def known(value: Any, kind: Any, path: str = "") -> Any:
    """Return a value with its members in camelCase. Raises Refused for unknown members and wrong types."""
    if kind is ANY:
        return value
    if isinstance(kind, list):
        items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
        return [known(item, kind[0], f"{path}[{index}]") for index, item in enumerate(items)]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise _invalid(path, value)
        value = cast("Json", value)
        return {name: known(one, kind["*"], f"{path}.{name}") for name, one in value.items()}
    if isinstance(kind, str):
        return _object(value, kind, path)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _invalid(path, value)
    return value


def _object(value: Any, kind: str, path: str) -> Json:
    if not isinstance(value, dict):
        raise _invalid(path, value)
    members = MEMBERS[kind]
    result: Json = {}
    for name, one in cast("Json", value).items():
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
        if name not in members:
            where = f" at '{path}'" if path else ""
            raise _violation(path, f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')
        if one is not None:
            result[name] = known(one, members[name], f"{path}.{name}" if path else name)
    return result


def _invalid(path: str, value: Any) -> Refused:
    return _violation(path, f"Invalid value at '{path}', {json.dumps(value)[:100]}")


def _violation(path: str, description: str) -> Refused:
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": path, "description": description}],
        }
    ]
    return Refused(description, details=details)


def member(value: Json, name: str) -> Json:
    """Return an object's member that is an object, empty when it is not there."""
    return value.get(name) or {}


def listed(value: Json, name: str) -> list[Any]:
    """Return an object's member that is a list, empty when it is not there."""
    return value.get(name) or []


def series(model: str) -> float:
    """Return the generation of a model: 2.5, 3.0 ..."""
    number = re.match(r"gemini-(\d+(?:\.\d+)?)", model)
    return float(number[1]) if number else 3.0


def check_request(request: Json, model: str) -> None:
    """Raise Refused for what types cannot say."""
    contents = listed(request, "contents")
    if not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified")
    for index, content in enumerate(contents):
        if content.get("role", "user") not in ("user", "model", "function"):
            raise Refused("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise Refused(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.")
        for at, part in enumerate(content["parts"]):
            _check_part(part, f"contents[{index}].parts[{at}]")
    _check_turns(contents)
    if series(model) >= 3:
        _check_signatures(contents)
    names = _check_tools(listed(request, "tools"))
    _check_choice(member(member(request, "toolConfig"), "functionCallingConfig"), names)
    _check_config(member(request, "generationConfig"), model)


def _check_part(part: Json, path: str) -> None:
    data = [name for name in DATA if name in part]
    if len(data) > 1:
        raise _violation(path, f"Invalid value at '{path}' (oneof), oneof field 'data' is already set.")
    if not data:
        raise Refused(
            f"* GenerateContentRequest.{path}.data: required oneof field 'data' must have one initialized field"
        )
    blob = part.get("inlineData")
    if blob is not None:
        try:
            base64.b64decode(blob["data"].translate(_TO_STANDARD), validate=True)
        except (binascii.Error, KeyError):
            raise _violation(f"{path}.inline_data.data", "Base64 decoding failed") from None
        kind = blob.get("mimeType", "")
        if (kind.startswith("image/") and kind not in PICTURES) or not kind:
            raise Refused(f"Unsupported MIME type: {kind}")
    uri = member(part, "fileData").get("fileUri", "")
    if uri.startswith("http") and "generativelanguage.googleapis.com" not in uri and "youtu" not in uri:
        raise Refused("Cannot fetch content from the provided URL. Please ensure the URL is valid.")


def _check_turns(contents: list[Json]) -> None:
    for index, content in enumerate(contents):
        answers = [part for part in content["parts"] if "functionResponse" in part]
        calls = [part for part in content["parts"] if "functionCall" in part]
        before = contents[index - 1] if index else None
        if calls and (before is None or before.get("role") == "model"):
            raise Refused(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        if not answers:
            continue
        asked = [part for part in listed(before or {}, "parts") if "functionCall" in part]
        if not asked:
            raise Refused("Please ensure that function response turn comes immediately after a function call turn.")
        if len(asked) != len(answers):
            raise Refused(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if sorted(one["functionCall"]["name"] for one in asked) != sorted(
            one["functionResponse"]["name"] for one in answers
        ):
            raise Refused("Please ensure that function responses have the names of the function calls.")


def _check_signatures(contents: list[Json]) -> None:
    """Verify those that come back. In the current turn the first call of every step must have one."""
    begin = max(
        (
            index
            for index, content in enumerate(contents)
            if any("functionResponse" not in one for one in content["parts"]) and content.get("role", "user") == "user"
        ),
        default=0,
    )
    for index, content in enumerate(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        for part in content["parts"]:
            signature = part.get("thoughtSignature")
            if signature is not None and signature not in DUMMIES and not is_signed(part):
                raise Refused("Corrupted thought signature.")
        if index > begin and calls and "thoughtSignature" not in calls[0]:
            name = calls[0]["functionCall"]["name"]
            raise Refused(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{name}` , position {index + 1}."
            )


def sign(part: Json) -> Json:
    """Return a part with the vendor's signature of what it says."""
    return {**part, "thoughtSignature": base64.b64encode(_proof(part)).decode()}


def is_signed(part: Json) -> bool:
    """Say whether a part comes back as it was signed; text may have been cut into pieces on the way."""
    signature = part["thoughtSignature"].translate(_TO_STANDARD)  # the SDK sends the other alphabet
    try:
        given = base64.b64decode(signature, validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, _proof(part))


def _proof(part: Json) -> bytes:
    call = part.get("functionCall")
    said = f"call {call['name']} {json.dumps(call.get('args', {}), sort_keys=True)}" if call else "text"
    return b"signed:" + hmac.new(SECRET, said.encode(), hashlib.sha256).digest()


def _check_tools(tools: list[Json]) -> list[str]:
    names: list[str] = []
    for tool in tools:
        for function in listed(tool, "functionDeclarations"):
            name = function.get("name", "")
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}", name):
                raise Refused(
                    "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, "
                    "A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
                )
            if "parameters" in function and "parametersJsonSchema" in function:
                raise Refused("Only one of parameters and parametersJsonSchema may be set.")
            if name in names:
                raise Refused(f"Duplicate function declaration found: {name}")
            names.append(name)
    return names


def _check_choice(config: Json, names: list[str]) -> None:
    mode, allowed = config.get("mode", "AUTO"), listed(config, "allowedFunctionNames")
    if mode not in ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"):
        raise _invalid("tool_config.function_calling_config.mode", mode)
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise Refused("Function calling mode must be ANY or VALIDATED when allowed function names are set.")
    if mode == "ANY" and not names:
        raise Refused("Function calling config is set without function_declarations.")
    if not set(allowed) <= set(names):
        raise Refused("Allowed function names must be declared functions.")


def _check_config(config: Json, model: str) -> None:
    if not 0 <= config.get("temperature", 1) <= 2:
        raise Refused(
            "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]."
        )
    if not 1 <= config.get("candidateCount", 1) <= 8:
        raise Refused("* GenerateContentRequest.generation_config.candidate_count: must be in the range [1, 8].")
    if config.get("maxOutputTokens", 1) < 1:
        raise Refused("max_output_tokens must be positive.")
    if len(listed(config, "stopSequences")) > 5:
        raise Refused("The number of stop sequences must be at most 5.")
    typed = config.get("responseMimeType", "text/plain") not in ("application/json", "text/x.enum")
    if typed and ("responseSchema" in config or "responseJsonSchema" in config):
        raise Refused("Response schema is set, but response mime type is not application/json or text/x.enum.")
    if "responseSchema" in config and "responseJsonSchema" in config:
        raise Refused("Only one of response_schema and response_json_schema may be set.")
    if config.get("logprobs") is not None and not config.get("responseLogprobs"):
        raise Refused("Logprobs is set without response_logprobs.")
    _check_thinking(member(config, "thinkingConfig"), model)


def _check_thinking(config: Json, model: str) -> None:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        raise Refused("You can only set only one of thinking budget and thinking level.")
    if level is not None:
        if series(model) < 3:
            raise Refused("Thinking level is not supported for this model.")
        if level not in ("MINIMAL", "LOW", "MEDIUM", "HIGH") or ("pro" in model and level == "MINIMAL"):
            raise Refused(f"Thinking level {level} is not supported for this model.")
    if config and series(model) < 2.5:
        raise Refused("Thinking is not enabled for this model.")
    if budget is not None and budget != -1:
        least, most = (128, 32_768) if "pro" in model else (0, 24_576)
        if not least <= budget <= most:
            raise Refused(f"The thinking budget {budget} is invalid. Please choose a value between {least} and {most}.")
