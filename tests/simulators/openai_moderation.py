"""OpenAI's moderation, simulated: texts that speak of killing are violent, and nothing else is harmful."""

from typing import Any

from tests.simulators.openai_rules import Json, Rejected

MODEL = "omni-moderation-latest"

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def moderate(body: Json) -> Json:
    """Return the reply. Raises Rejected."""
    if unknown := body.keys() - {"model", "input"}:
        raise Rejected(f"Unrecognized request argument supplied: {sorted(unknown)[0]}", sorted(unknown)[0])
    if body.get("model", MODEL) != MODEL:
        raise Rejected(f"Invalid value for 'model' = {body['model']}.", "model")
    given: Any = body.get("input")
    if type(given) not in (str, list) or not given:
        raise Rejected("Invalid type for 'input'.", "input")
    inputs: list[Any] = [given] if isinstance(given, str) else given
    results = [_result(text, ["text"]) for text in inputs if isinstance(text, str)]
    if not results:
        text = " ".join(part["text"] for part in inputs if part["type"] == "text")
        pictures = [part["image_url"]["url"] for part in inputs if part["type"] == "image_url"]
        results = [_result(text, ["text", *(["image"] if pictures else [])])]
    return {"id": "modr-simulated", "model": "omni-moderation-2024-09-26", "results": results}


def _result(text: str, kinds: list[str]) -> Json:
    violent = "kill" in text
    held = {name: violent and name == "violence" for name in _CATEGORIES}
    return {
        "flagged": violent,
        "categories": held,
        "category_scores": {name: 0.9 if value else 0.001 for name, value in held.items()},
        "category_applied_input_types": {name: kinds for name in _CATEGORIES},
    }
