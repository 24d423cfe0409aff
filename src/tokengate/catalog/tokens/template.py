"""What a model reads of a chat: its template's marks around the messages, in the order of the vendor's own template.

Sources: Qwen's ChatML as proved against printed counts; OpenAI's published rule (3 tokens a message, 1 for a name, 3
for the reply's beginning); the templates in the repositories of DeepSeek, Mistral and Llama. Tools are written in every
template in a way of its own that hosts change: they are counted as JSON and make the whole an estimate.
"""

from collections.abc import Callable
from typing import assert_never

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.families import Family
from tokengate.catalog.tokens.media import add_audio, add_file, add_image, add_video
from tokengate.catalog.tokens.prompt import Prompt
from tokengate.core.chat import BuiltIn, Chat, Custom, Function, Message, Tool
from tokengate.core.parts import Audio, File, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult, Video

_TOOLS_TOKENS = 100  # a template's instructions on how to call tools; known ones have 60 to 150
_TOOL_TOKENS = 12  # the marks around one tool, call or result


def prompt_of(chat: Chat, model: Model, family: Family | None) -> Prompt:
    """Return what the model reads. Without a family the marks are OpenAI's, which are about those of others."""
    prompt = Prompt()
    write = _openai if family is None else _TEMPLATES[family.template]
    if family is None or not family.exact:
        prompt.guess()
    write(prompt, chat, model, family)
    if chat.tools:
        prompt.guess(_TOOLS_TOKENS)
        for tool in chat.tools:
            _tool(prompt, tool)
    if chat.output.json is not None and chat.output.json.schema is not None:
        prompt.separate(bytes(chat.output.json.schema).decode("utf-8", "replace"))
        prompt.guess()
    if chat.search.enabled or chat.translation is not None:
        prompt.guess()  # the vendor writes more into the prompt than anybody is told
    prompt.mark(0)
    return prompt


def _openai(prompt: Prompt, chat: Chat, model: Model, family: Family | None) -> None:
    for message in chat.messages:
        prompt.mark(3)
        prompt.separate(message.role)
        if message.name:
            prompt.separate(message.name)
            prompt.mark(1)
        _parts(prompt, message, chat, model)
    prompt.mark(3)


def _chatml(prompt: Prompt, chat: Chat, model: Model, family: Family | None) -> None:
    assert family is not None, "the template belongs to a family"
    if family.system and not _has_system(chat):
        _chatml_turn(prompt, "system", lambda: prompt.text(family.system))
    for message in chat.messages:
        role = "system" if message.role == "developer" else message.role
        _chatml_turn(prompt, role, lambda message=message: _parts(prompt, message, chat, model))
    prompt.mark()
    prompt.text("assistant\n")
    thinks = family.opening == "think" or (family.opening == "hybrid" and chat.reasoning.enabled is not False)
    if thinks:
        prompt.mark()
        prompt.text("\n")
    elif family.opening == "hybrid":
        for _ in range(2):  # an empty block of thinking
            prompt.mark()
            prompt.text("\n\n")


def _chatml_turn(prompt: Prompt, role: str, content: Callable[[], None]) -> None:
    prompt.mark()
    prompt.text(f"{role}\n")
    content()
    prompt.mark()
    prompt.text("\n")


def _deepseek(prompt: Prompt, chat: Chat, model: Model, family: Family | None) -> None:
    prompt.mark()
    for message in chat.messages:
        match message.role:
            case "system" | "developer":
                _parts(prompt, message, chat, model)
            case "user":
                prompt.mark()
                _parts(prompt, message, chat, model)
            case "assistant":
                prompt.mark(2)  # who speaks, and the end of thinking
                _parts(prompt, message, chat, model)
                prompt.mark()
            case _:
                assert_never(message.role)
    prompt.mark(2)  # the assistant, and the beginning or the end of thinking


def _mistral(prompt: Prompt, chat: Chat, model: Model, family: Family | None) -> None:
    prompt.mark()
    for message in chat.messages:
        prompt.mark(1 if message.role == "assistant" else 2)
        _parts(prompt, message, chat, model)


def _llama3(prompt: Prompt, chat: Chat, model: Model, family: Family | None) -> None:
    assert family is not None, "the template belongs to a family"
    prompt.mark()
    dated = family.system
    if dated and not _has_system(chat):
        _llama3_head(prompt, "system", dated)
        prompt.mark()
    for message in chat.messages:
        role = "system" if message.role == "developer" else message.role
        _llama3_head(prompt, role, dated if role == "system" else "")
        _parts(prompt, message, chat, model)
        prompt.mark()
    _llama3_head(prompt, "assistant", "")


def _llama3_head(prompt: Prompt, role: str, text: str) -> None:
    prompt.mark()
    prompt.text(role)
    prompt.mark()
    prompt.text(f"\n\n{text}")


_Template = Callable[[Prompt, Chat, Model, Family | None], None]
_TEMPLATES: dict[str, _Template] = {
    "openai": _openai,
    "chatml": _chatml,
    "deepseek": _deepseek,
    "mistral": _mistral,
    "llama3": _llama3,
}


def _has_system(chat: Chat) -> bool:
    return bool(chat.messages) and chat.messages[0].role in ("system", "developer")


def _parts(prompt: Prompt, message: Message, chat: Chat, model: Model) -> None:
    for part in message.parts:
        _part(prompt, part, chat, model)


def _part(prompt: Prompt, part: Part, chat: Chat, model: Model) -> None:
    match part:
        case Text() | Refusal():
            prompt.text(part.text)
        case Thinking():  # most vendors drop the thinking of earlier turns, but not all and not always
            prompt.separate(part.text)
            prompt.guess()
        case ToolCall():
            prompt.separate(part.name)
            prompt.separate(part.arguments)
            prompt.guess(_TOOL_TOKENS)
        case ToolResult():
            for inner in part.content:
                _part(prompt, inner, chat, model)
            prompt.guess(_TOOL_TOKENS)
        case Opaque():
            prompt.separate(bytes(part.raw).decode("utf-8", "replace"))
            prompt.guess()
        case Image():
            add_image(prompt, part, model, high_resolution=chat.high_resolution_images is True)
        case Video():
            add_video(prompt, part, model)
        case Audio():
            add_audio(prompt, part)
        case File():
            add_file(prompt, part, model)
        case _:
            assert_never(part)


def _tool(prompt: Prompt, tool: Tool) -> None:
    match tool:
        case Function():
            prompt.separate(tool.name)
            prompt.separate(tool.description)
            if tool.parameters is not None:
                prompt.separate(bytes(tool.parameters).decode("utf-8", "replace"))
        case Custom():
            prompt.separate(tool.name)
            prompt.separate(tool.description)
            prompt.separate(tool.definition)
        case BuiltIn():
            prompt.separate(bytes(tool.raw).decode("utf-8", "replace"))
        case _:
            assert_never(tool)
    prompt.guess(_TOOL_TOKENS)
