"""What the simulated DashScope answers, from the request alone: whole, and as the events of a stream."""

import json
import re
from typing import Any

from tests.simulators.dashscope_rules import MULTIMODAL, TEXT_EMBEDDING
from tokengate.formats.dashscope.shapes import is_list, is_object


class Mind:
    """What the model answers to one request."""

    def __init__(self, path: str, body: Any) -> None:
        self.parameters: dict[str, Any] = body.get("parameters", {})
        asked = body["input"]
        self.messages: list[Any] = asked.get("messages") or [{"role": "user", "content": asked["prompt"]}]
        self.listed = path == MULTIMODAL
        following = _text_of(self.messages[-1]).partition("NEXT ")[2] if self.messages[-1]["role"] == "tool" else ""
        self.continues = bool(following)  # a tool's answer makes it call the next one
        self.text = following or _text_of(
            next((m for m in reversed(self.messages) if m["role"] == "user"), {"content": ""})
        )
        self.thoughts = ["Let me think ", "about it."] if self.parameters.get("enable_thinking") else []
        self.calls = self._calls()
        self.found: list[dict[str, Any]] = []
        if self.parameters.get("enable_search"):
            self.found = [
                {"site_name": "News", "icon": "", "index": 1, "title": self.text, "url": "https://news.example/1"}
            ]
        self.words, self.reason = self._limited("" if self.calls else self._said())

    def usage(self, words: int) -> dict[str, Any]:
        thought = sum(len(piece.split()) for piece in self.thoughts)
        counts = {kind: 0 for kind in ("image", "video", "audio")}
        for message in self.messages:
            for entry in message["content"] if is_list(message["content"]) else ():
                for kind in counts:
                    if kind in entry:
                        several = len(entry[kind]) if is_list(entry[kind]) else 1
                        counts[kind] += 500 * several
        plain = sum(len(_text_of(message).split()) for message in self.messages) + 4
        media = {f"{kind}_tokens": count for kind, count in counts.items() if count}
        usage: dict[str, Any] = {
            "input_tokens": plain + sum(media.values()),
            "output_tokens": thought + words + 5 * len(self.calls),
            **media,
        }
        usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
        if media:
            usage["input_tokens_details"] = {"text_tokens": plain, **media}
        if thought:
            usage["output_tokens_details"] = {"reasoning_tokens": thought}
        if self.found:
            usage["plugins"] = {"search": {"count": 1}}
        return usage

    def _calls(self) -> list[dict[str, Any]]:
        tools = self.parameters.get("tools")
        choice = self.parameters.get("tool_choice", "auto")
        places = re.search(r"weather in (.+)", self.text)
        answered = self.messages[-1]["role"] == "tool" and not self.continues
        if not tools or choice == "none" or answered or not (places or is_object(choice)):
            return []
        name = choice["function"]["name"] if is_object(choice) else tools[0]["function"]["name"]
        wanted = places[1].split(" and ") if places else [self.text]
        if not self.parameters.get("parallel_tool_calls"):
            wanted = wanted[:1]
        return [
            {
                "index": index,
                "id": f"call_{index}_{place.lower()}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps({"location": place})},
            }
            for index, place in enumerate(wanted)
        ]

    def _said(self) -> str:
        last = self.messages[-1]
        if last["role"] == "tool":
            results: list[str] = []
            for message in reversed(self.messages):
                if message["role"] != "tool":
                    break
                results.insert(0, _text_of(message))
            return "The tools say: " + "; ".join(results)
        if last.get("partial"):
            return " and so on"
        if wanted := self.parameters.get("translation_options"):
            return f"[{wanted['target_lang']}] {self.text}"
        shape = self.parameters.get("response_format", {})
        if shape.get("type") == "json_schema":
            return json.dumps(_instance(shape["json_schema"]["schema"]))
        if shape.get("type") == "json_object":
            return json.dumps({"said": self.text})
        seen = _seen(last)
        return f"You said: {self.text}" + (f" ({seen})" if seen else "")

    def _limited(self, said: str) -> tuple[list[str], str]:
        """Return the words, and why they end: at a stop text, at the cap, or by themselves."""
        stop = self.parameters.get("stop", [])
        for text in [stop] if type(stop) is str else stop:
            if type(text) is str and text in said:
                said = said[: said.index(text)]
        words = re.findall(r"\s*\S+", said)
        cap = self.parameters.get("max_tokens", self.parameters.get("max_completion_tokens", len(words)))
        if len(words) > cap:
            return words[:cap], "length"
        # A forced call ends with stop.
        forced = is_object(self.parameters.get("tool_choice"))
        return words, "tool_calls" if self.calls and not forced else "stop"

    def content(self, text: str) -> Any:
        if not self.listed:
            return text
        return [{"text": text}] if text else []

    def logprobs(self, words: list[str]) -> dict[str, Any]:
        if not self.parameters.get("logprobs"):
            return {}
        top = self.parameters.get("top_logprobs", 0)
        content: list[dict[str, Any]] = []
        for word in words:
            likely: dict[str, Any] = {"token": word, "logprob": -0.25, "bytes": list(word.encode())}
            content.append({**likely, "top_logprobs": [likely][:top]})
        return {"logprobs": {"content": content}}


def whole(mind: Mind) -> dict[str, Any]:
    """Return a whole answer."""
    n = mind.parameters.get("n", 1)
    text = "".join(mind.words)
    usage = mind.usage(n * len(mind.words))
    if not mind.listed and mind.parameters.get("result_format", "text") == "text":
        return {"output": {"text": text, "finish_reason": mind.reason}, "usage": usage}
    message: dict[str, Any] = {"role": "assistant", "content": mind.content(text)}
    if mind.thoughts:
        message["reasoning_content"] = "".join(mind.thoughts)
    if mind.calls:
        message["tool_calls"] = mind.calls
    choice = {"finish_reason": mind.reason, "message": message, **mind.logprobs(mind.words)}
    output: dict[str, Any] = {"choices": [choice]}
    if n > 1:
        output["choices"] = [{**choice, "index": index} for index in range(n)]
    if mind.found:
        output["search_info"] = {"search_results": mind.found}
    return {"output": output, "usage": usage}


def events_of(mind: Mind) -> list[dict[str, Any]]:
    pieces = mind.parameters.get("incremental_output", False)
    told: list[dict[str, Any]] = []  # messages in pieces
    for thought in mind.thoughts:
        told.append({"content": mind.content(""), "reasoning_content": thought})
    for word in mind.words:
        told.append({"content": mind.content(word)})
    for call in mind.calls:
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        begun = {**call, "function": {"name": name, "arguments": arguments[:5]}}
        rest = {**call, "id": "", "function": {"arguments": arguments[5:]}}
        told += [{"content": mind.content(""), "tool_calls": [one]} for one in (begun, rest)]
    told.append({"content": mind.content("")})
    events: list[dict[str, Any]] = []
    for number in range(len(told)):
        last = number == len(told) - 1
        message = {**(told[number] if pieces else _sum(mind, told[: number + 1])), "role": "assistant"}
        reason = mind.reason if last else "null"
        words = sum(bool(_text_of(one)) for one in told[: number + 1])
        for index in range(mind.parameters.get("n", 1)):
            events.append(_event(mind, message, reason, mind.usage(words), index, first=not events, number=number))
    return events


def _event(
    mind: Mind, message: dict[str, Any], reason: str, usage: dict[str, Any], index: int, *, first: bool, number: int
) -> dict[str, Any]:
    if not mind.listed and mind.parameters.get("result_format", "text") == "text":
        return {"output": {"text": message["content"], "finish_reason": reason}, "usage": usage}
    choice: dict[str, Any] = {"message": message, "finish_reason": reason}
    word = number - len(mind.thoughts)
    if 0 <= word < len(mind.words):
        choice.update(mind.logprobs(mind.words[word : word + 1]))
    if mind.parameters.get("n", 1) > 1:
        choice["index"] = index
    output: dict[str, Any] = {"choices": [choice]}
    if mind.found:
        output["search_info"] = {"search_results": mind.found if first else []}
    return {"output": output, "usage": usage}


def _sum(mind: Mind, told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message with all that was said so far."""
    message: dict[str, Any] = {"content": mind.content("".join(map(_text_of, told)))}
    if thought := "".join(one.get("reasoning_content", "") for one in told):
        message["reasoning_content"] = thought
    calls: dict[int, Any] = {}
    for one in told:
        for call in one.get("tool_calls", ()):
            if call["index"] in calls:
                calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
            else:
                calls[call["index"]] = {**call, "function": dict(call["function"])}
    if calls:
        message["tool_calls"] = list(calls.values())
    return message


def vectors(path: str, body: Any) -> dict[str, Any]:
    dimension = body.get("parameters", {}).get("dimension", 4)
    if path == TEXT_EMBEDDING:
        texts = body["input"]["texts"]
        embeddings: list[Any] = [
            {"text_index": index, "embedding": [len(text) / 100] * dimension} for index, text in enumerate(texts)
        ]
        return {
            "output": {"embeddings": embeddings},
            "usage": {"total_tokens": sum(len(text.split()) for text in texts)},
        }
    embeddings = []
    for index, entry in enumerate(body["input"]["contents"]):
        kind = next(kind for kind in ("text", "image", "video", "audio") if kind in entry)
        embeddings.append({"index": index, "embedding": [len(entry[kind]) / 100] * dimension, "type": kind})
    return {"output": {"embeddings": embeddings}, "usage": {"input_tokens": 3 * len(embeddings), "image_tokens": 0}}


def ranking(body: Any) -> dict[str, Any]:
    """Rank documents by how many words they share with the query."""
    parameters = body.get("parameters", {})
    query = set(body["input"]["query"].split())
    documents = body["input"]["documents"]
    scores = [(len(query & set(document.split())) / len(query), index) for index, document in enumerate(documents)]
    results: list[dict[str, Any]] = []
    for score, index in sorted(scores, key=lambda one: (-one[0], one[1]))[: parameters.get("top_n", len(documents))]:
        results.append({"index": index, "relevance_score": score})
        if parameters.get("return_documents"):
            results[-1]["document"] = {"text": documents[index]}
    return {"output": {"results": results}, "usage": {"total_tokens": sum(len(text.split()) for text in documents)}}


def _text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    if type(content) is str:
        return content
    return "".join(entry.get("text", "") for entry in content)


def _seen(message: dict[str, Any]) -> str:
    seen: list[str] = []
    for entry in message["content"] if is_list(message["content"]) else ():
        for kind in ("image", "video", "audio"):
            if kind in entry:
                frames = f" of {len(entry[kind])} frames" if is_list(entry[kind]) else ""
                seen.append(f"{kind}{frames}")
    return ", ".join(seen)


def _instance(schema: Any) -> Any:
    """Return the plainest value that fits a JSON schema."""
    match schema.get("type"):
        case "object":
            return {name: _instance(inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [_instance(schema.get("items", {}))]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
        case _:
            return schema.get("enum", ["text"])[0]
