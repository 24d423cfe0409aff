"""Capabilities of what is said to a model: roles, names, and all that a turn may hold."""

from tests.compatibility.capability import (
    ANTHROPIC,
    DASHSCOPE,
    GEMINI,
    IMAGE_URL,
    OPENAI,
    PDF,
    PDF_URL,
    PNG,
    RESPONSES,
    VIDEO_URL,
    WAV,
    Capability,
    instructions,
    messages_of,
    parts_of,
    user_texts,
)
from tests.compatibility.clients import Ask
from tokengate.core.chat import Chat
from tokengate.core.parts import Audio, Data, File, Image, Opaque, Video

_BRIEF = "Answer briefly."
_SYSTEM = {"role": "system", "content": _BRIEF}


def _is_inside(chat: Chat) -> bool:
    """One picture, in the request itself."""
    found = [part for part in parts_of(chat) if isinstance(part, Image)]
    return len(found) == 1 and isinstance(found[0].source, Data)


def _sounds(chat: Chat) -> bool:
    return len([part for part in parts_of(chat) if isinstance(part, Audio)]) == 1


def _frames(chat: Chat) -> bool:
    """A film as frames: as such, or as so many pictures."""
    films = [part for part in parts_of(chat) if isinstance(part, Video)]
    pictures = [part for part in parts_of(chat) if isinstance(part, Image)]
    return (len(films) == 1 and len(films[0].frames) == 4) or len(pictures) == 4


def _films(chat: Chat) -> bool:
    films = [part for part in parts_of(chat) if isinstance(part, Video)]
    return len(films) == 1 and films[0].whole


def _pictures(chat: Chat) -> bool:
    return len([part for part in parts_of(chat) if isinstance(part, Image)]) == 1


def _documents(chat: Chat) -> bool:
    return len([part for part in parts_of(chat) if isinstance(part, File)]) == 1


MESSAGES = (
    Capability(
        id="system",
        title=("System instructions", "系统指令"),
        group="messages",
        asks={
            OPENAI: Ask(before=[_SYSTEM]),
            RESPONSES: Ask(members={"instructions": _BRIEF}),
            ANTHROPIC: Ask(members={"system": _BRIEF}),
            GEMINI: Ask(members={"systemInstruction": {"parts": [{"text": _BRIEF}]}}),
            DASHSCOPE: Ask(before=[_SYSTEM]),
        },
        arrives=lambda chat: instructions(chat) == _BRIEF,
        slice=True,
    ),
    Capability(
        id="developer",
        title=("Developer role", "developer 角色"),
        group="messages",
        asks={
            OPENAI: Ask(before=[{"role": "developer", "content": _BRIEF}]),
            RESPONSES: Ask(before=[{"role": "developer", "content": _BRIEF}]),
        },
        arrives=lambda chat: instructions(chat) == _BRIEF,
        slice=True,
    ),
    Capability(
        id="name",
        title=("Names of speakers", "发言者名称"),
        group="messages",
        asks={OPENAI: Ask(turn={"name": "ada"}), DASHSCOPE: Ask(turn={"name": "ada"})},
        arrives=lambda chat: messages_of(chat, "user")[-1].name == "ada",
    ),
    Capability(
        id="turns",
        title=("Turns of a conversation", "多轮对话"),
        group="messages",
        asks={
            OPENAI: Ask(before=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]),
            RESPONSES: Ask(before=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]),
            ANTHROPIC: Ask(before=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]),
            GEMINI: Ask(
                before=[{"role": "user", "parts": [{"text": "One"}]}, {"role": "model", "parts": [{"text": "Two"}]}]
            ),
            DASHSCOPE: Ask(before=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]),
        },
        arrives=lambda chat: (
            user_texts(chat) == ["One", "Hello"]
            and [getattr(part, "text", "").strip() for part in parts_of(chat, "assistant")] in (["Two"], ["", "Two"])
        ),
    ),
    Capability(
        id="parts",
        title=("Several parts in a turn", "多段内容"),
        group="messages",
        asks={
            OPENAI: Ask(parts=[{"type": "text", "text": "and more"}]),
            RESPONSES: Ask(parts=[{"type": "input_text", "text": "and more"}]),
            ANTHROPIC: Ask(parts=[{"type": "text", "text": "and more"}]),
            GEMINI: Ask(parts=[{"text": "and more"}]),
            DASHSCOPE: Ask(parts=[{"text": "and more"}]),
        },
        arrives=lambda chat: " ".join("".join(user_texts(chat)).split()).endswith("and more"),
    ),
    Capability(
        id="image_data",
        title=("Images in the request", "图片(Base64)"),
        group="messages",
        model="image",
        asks={
            OPENAI: Ask(parts=[{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]),
            RESPONSES: Ask(parts=[{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]),
            ANTHROPIC: Ask(
                parts=[{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}]
            ),
            GEMINI: Ask(parts=[{"inlineData": {"mimeType": "image/png", "data": PNG}}]),
            DASHSCOPE: Ask(parts=[{"image": f"data:image/png;base64,{PNG}"}]),
        },
        arrives=_is_inside,
        slice=True,
    ),
    Capability(
        id="image_url",
        title=("Images by address", "图片(URL)"),
        group="messages",
        model="image",
        asks={
            OPENAI: Ask(parts=[{"type": "image_url", "image_url": {"url": IMAGE_URL}}]),
            RESPONSES: Ask(parts=[{"type": "input_image", "image_url": IMAGE_URL}]),
            ANTHROPIC: Ask(parts=[{"type": "image", "source": {"type": "url", "url": IMAGE_URL}}]),
            GEMINI: Ask(parts=[{"fileData": {"mimeType": "image/png", "fileUri": IMAGE_URL}}]),
            DASHSCOPE: Ask(parts=[{"image": IMAGE_URL}]),
        },
        arrives=_pictures,
        slice=True,
    ),
    Capability(
        id="image_detail",
        title=("Detail of images", "图片精细度"),
        group="messages",
        model="image",
        asks={
            OPENAI: Ask(
                parts=[{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}]
            ),
            RESPONSES: Ask(
                parts=[{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"}]
            ),
        },
        arrives=lambda chat: any(isinstance(part, Image) and part.detail == "low" for part in parts_of(chat)),
    ),
    Capability(
        id="video_url",
        title=("Video by address", "视频(URL)"),
        group="messages",
        model="image",
        asks={
            OPENAI: Ask(parts=[{"type": "video_url", "video_url": {"url": VIDEO_URL}}]),
            GEMINI: Ask(parts=[{"fileData": {"mimeType": "video/mp4", "fileUri": VIDEO_URL}}]),
            DASHSCOPE: Ask(parts=[{"video": VIDEO_URL}]),
        },
        arrives=_films,
    ),
    Capability(
        id="video_frames",
        title=("Video as a list of frames", "视频(帧列表)"),
        group="messages",
        model="image",
        asks={
            OPENAI: Ask(parts=[{"type": "video", "video": [IMAGE_URL] * 4}]),
            DASHSCOPE: Ask(parts=[{"video": [IMAGE_URL] * 4}]),
        },
        arrives=_frames,
    ),
    Capability(
        id="audio_in",
        title=("Sound in the request", "音频输入"),
        group="messages",
        model="audio",
        asks={
            OPENAI: Ask(parts=[{"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}]),
            RESPONSES: Ask(parts=[{"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}]),
            GEMINI: Ask(parts=[{"inlineData": {"mimeType": "audio/wav", "data": WAV}}]),
            DASHSCOPE: Ask(parts=[{"audio": f"data:audio/wav;base64,{WAV}"}]),
        },
        arrives=_sounds,
    ),
    Capability(
        id="file_data",
        title=("Documents in the request", "文档(Base64)"),
        group="messages",
        asks={
            OPENAI: Ask(
                parts=[
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
                    }
                ]
            ),
            RESPONSES: Ask(
                parts=[{"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}]
            ),
            ANTHROPIC: Ask(
                parts=[{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}]
            ),
            GEMINI: Ask(parts=[{"inlineData": {"mimeType": "application/pdf", "data": PDF}}]),
        },
        arrives=_documents,
    ),
    Capability(
        id="file_url",
        title=("Documents by address", "文档(URL)"),
        group="messages",
        asks={
            RESPONSES: Ask(parts=[{"type": "input_file", "file_url": PDF_URL}]),
            ANTHROPIC: Ask(parts=[{"type": "document", "source": {"type": "url", "url": PDF_URL}}]),
            GEMINI: Ask(parts=[{"fileData": {"mimeType": "application/pdf", "fileUri": PDF_URL}}]),
        },
        arrives=_documents,
    ),
    Capability(
        id="file_citations",
        title=("Citations out of documents", "引用文档内容"),
        group="messages",
        asks={
            ANTHROPIC: Ask(
                parts=[
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                        "citations": {"enabled": True},
                    }
                ]
            ),
        },
        arrives=lambda chat: any(isinstance(part, File) and part.citations for part in parts_of(chat)),
    ),
    Capability(
        id="search_blocks",
        title=("Search results that the caller brings", "调用方提供的搜索结果"),
        group="messages",
        asks={
            ANTHROPIC: Ask(
                parts=[
                    {
                        "type": "search_result",
                        "source": "https://pages.example/a",
                        "title": "A page",
                        "content": [{"type": "text", "text": "It is so."}],
                    }
                ]
            ),
        },
        arrives=lambda chat: any(isinstance(part, Opaque) and part.kind == "search_result" for part in parts_of(chat)),
    ),
    Capability(
        id="partial",
        title=("Going on with a begun answer", "续写已有开头"),
        group="messages",
        asks={
            OPENAI: Ask(after=[{"role": "assistant", "content": "It is", "partial": True}]),
            ANTHROPIC: Ask(after=[{"role": "assistant", "content": "It is"}]),
            DASHSCOPE: Ask(after=[{"role": "assistant", "content": "It is", "partial": True}]),
        },
        arrives=lambda chat: chat.messages[-1].role == "assistant" and chat.messages[-1].partial,
    ),
)
