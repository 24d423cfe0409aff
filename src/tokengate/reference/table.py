"""The one table of operations: what the gateway serves, and what its portal describes as still to come.

A surface serves an operation by binding a handler to its row, which is the only way into dispatch; the published
documents are built from the rows that are bound. Words, examples and the parameters of operations that are not served
yet are in `data/operations/*.toml`, read when the first page is asked for.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tokengate.formats.openai.parameters import (
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ImageBody,
    ImageEditBody,
    ImageVariationBody,
    ModerationBody,
    RerankBody,
    SpeechBody,
    VideoBody,
    VideoEditBody,
    VideoRemixBody,
)

Method = Literal["GET", "POST", "DELETE"]
ErrorShape = Literal["openai", "anthropic", "gemini", "gemini-stream", "dashscope", "suno"]
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "none"]

OPENAI_BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")
GEMINI_BASES = ("/v1beta", "/v1")


class ApiOperation(Struct, frozen=True, eq=False):
    """One operation. Its full path is one of `bases`, then `path`; `request` is the struct that checks its body."""

    id: str
    method: Method
    path: str
    bases: tuple[str, ...] = ("",)
    auth: Auth = "bearer"
    request: type[Struct] | None = None
    errors: ErrorShape = "openai"  # the format in whose words its refusals are
    native: ErrorShape | None = None  # a format whose bodies are answered here too, in that format

    def paths(self) -> tuple[str, ...]:
        """Return the full path under each base."""
        return tuple(base + self.path for base in self.bases)

    @property
    def first_path(self) -> str:
        """The full path under the first base, which examples use."""
        return self.bases[0] + self.path


def _openai(id: str, path: str, request: type[Struct] | None = None, method: Method = "POST") -> ApiOperation:
    return ApiOperation(id, method, path, OPENAI_BASES, request=request)


def _gemini(id: str, path: str, bases: tuple[str, ...] = GEMINI_BASES, method: Method = "POST") -> ApiOperation:
    return ApiOperation(f"gemini.{id}", method, path, bases, "x-goog-api-key", errors="gemini")


def _suno(id: str, path: str, method: Method = "POST") -> ApiOperation:
    return ApiOperation(f"suno.{id}", method, path, ("/suno/v2",), errors="suno")


CHAT_COMPLETIONS = ApiOperation(
    "chat.completions", "POST", "/chat/completions", OPENAI_BASES, request=ChatBody, native="dashscope"
)
APP_CHAT = ApiOperation("apps.chat", "POST", "/v1/apps/{name}/chat/completions", request=ChatBody)
COMPLETIONS = _openai("completions", "/completions", CompletionBody)
EMBEDDINGS = _openai("embeddings", "/embeddings", EmbeddingBody)
# Cohere's own clients ask below /v2. https://docs.cohere.com/reference/rerank, 2026-11
RERANK = replace(_openai("rerank", "/rerank", RerankBody), bases=(*OPENAI_BASES, "/v2"))
MODERATIONS = _openai("moderations", "/moderations", ModerationBody)
SPEECH = _openai("audio.speech", "/audio/speech", SpeechBody)
TRANSCRIPTIONS = _openai("audio.transcriptions", "/audio/transcriptions")
TRANSLATIONS = _openai("audio.translations", "/audio/translations")
RESPONSES = _openai("responses", "/responses")
RESPONSE_TOKENS = _openai("responses.input_tokens", "/responses/input_tokens")
COMPACT_RESPONSE = _openai("responses.compact", "/responses/compact")
SHOW_RESPONSE = _openai("responses.show", "/responses/{response_id}", method="GET")
DELETE_RESPONSE = _openai("responses.delete", "/responses/{response_id}", method="DELETE")
RESPONSE_ITEMS = _openai("responses.input_items", "/responses/{response_id}/input_items", method="GET")
CANCEL_RESPONSE = _openai("responses.cancel", "/responses/{response_id}/cancel")
IMAGE_GENERATIONS = _openai("images.generations", "/images/generations", ImageBody)
IMAGE_EDITS = _openai("images.edits", "/images/edits", ImageEditBody)
IMAGE_VARIATIONS = _openai("images.variations", "/images/variations", ImageVariationBody)
VIDEOS = _openai("videos.create", "/videos", VideoBody)
LIST_VIDEOS = _openai("videos.list", "/videos", method="GET")
SHOW_VIDEO = _openai("videos.show", "/videos/{video_id}", method="GET")
DELETE_VIDEO = _openai("videos.delete", "/videos/{video_id}", method="DELETE")
VIDEO_CONTENT = _openai("videos.content", "/videos/{video_id}/content", method="GET")
REMIX_VIDEO = _openai("videos.remix", "/videos/{video_id}/remix", VideoRemixBody)
EDIT_VIDEO = _openai("videos.edits", "/videos/edits", VideoEditBody)
EXTEND_VIDEO = _openai("videos.extensions", "/videos/extensions")
VIDEO_CHARACTERS = _openai("videos.characters", "/videos/characters")
LIST_MODELS = _openai("models.list", "/models", method="GET")
SHOW_MODEL = _openai("models.show", "/models/{model}", method="GET")

ANTHROPIC_MESSAGES = ApiOperation("anthropic.messages", "POST", "/v1/messages", auth="x-api-key", errors="anthropic")
ANTHROPIC_COUNT_TOKENS = ApiOperation(
    "anthropic.count_tokens", "POST", "/v1/messages/count_tokens", auth="x-api-key", errors="anthropic"
)

GEMINI_GENERATE = _gemini("generate", "/models/{model}:generateContent")
GEMINI_STREAM = replace(_gemini("stream", "/models/{model}:streamGenerateContent"), errors="gemini-stream")
GEMINI_COUNT = _gemini("count", "/models/{model}:countTokens")
GEMINI_EMBED = _gemini("embed", "/models/{model}:embedContent")
GEMINI_BATCH_EMBED = _gemini("batch_embed", "/models/{model}:batchEmbedContents")
GEMINI_LIST_MODELS = _gemini("models.list", "/models", ("/v1beta",), "GET")
GEMINI_SHOW_MODEL = _gemini("models.show", "/models/{model}", ("/v1beta",), "GET")

_NATIVE = "/api/v1/services"
_AIGC = f"{_NATIVE}/aigc"
DASHSCOPE_TEXT = ApiOperation("dashscope.text", "POST", f"{_AIGC}/text-generation/generation", errors="dashscope")
DASHSCOPE_MULTIMODAL = ApiOperation(
    "dashscope.multimodal", "POST", f"{_AIGC}/multimodal-generation/generation", errors="dashscope"
)
DASHSCOPE_TEXT_EMBEDDING = ApiOperation(
    "dashscope.text_embedding", "POST", f"{_NATIVE}/embeddings/text-embedding/text-embedding", errors="dashscope"
)
DASHSCOPE_MULTIMODAL_EMBEDDING = ApiOperation(
    "dashscope.multimodal_embedding",
    "POST",
    f"{_NATIVE}/embeddings/multimodal-embedding/multimodal-embedding",
    errors="dashscope",
)
DASHSCOPE_RERANK = ApiOperation(
    "dashscope.rerank", "POST", f"{_NATIVE}/rerank/text-rerank/text-rerank", errors="dashscope"
)
DASHSCOPE_IMAGE = ApiOperation("dashscope.image", "POST", f"{_AIGC}/text2image/image-synthesis", errors="dashscope")
DASHSCOPE_IMAGE_EDIT = ApiOperation(
    "dashscope.image_edit", "POST", f"{_AIGC}/image2image/image-synthesis", errors="dashscope"
)
DASHSCOPE_IMAGE_GENERATION = ApiOperation(
    "dashscope.image_generation", "POST", f"{_AIGC}/image-generation/generation", errors="dashscope"
)
DASHSCOPE_VIDEO = ApiOperation(
    "dashscope.video", "POST", f"{_AIGC}/video-generation/video-synthesis", errors="dashscope"
)
DASHSCOPE_FRAMES = ApiOperation("dashscope.frames", "POST", f"{_AIGC}/image2video/video-synthesis", errors="dashscope")
DASHSCOPE_TRANSCRIPTION = ApiOperation(
    "dashscope.transcription", "POST", f"{_NATIVE}/audio/asr/transcription", errors="dashscope"
)
DASHSCOPE_TASK = ApiOperation("dashscope.task", "GET", "/api/v1/tasks/{task_id}", errors="dashscope")
DASHSCOPE_TASKS = ApiOperation("dashscope.tasks", "GET", "", ("/api/v1/tasks", "/api/v1/tasks/"), errors="dashscope")
DASHSCOPE_TASK_CANCEL = ApiOperation(
    "dashscope.task_cancel", "POST", "/api/v1/tasks/{task_id}/cancel", errors="dashscope"
)
DASHSCOPE_UPLOAD_POLICY = ApiOperation("dashscope.upload_policy", "GET", "/api/v1/uploads", errors="dashscope")
DASHSCOPE_UPLOAD = ApiOperation("dashscope.upload", "POST", "/api/v1/uploads", auth="none", errors="dashscope")

MUSIC_TASK = _suno("fetch", "/tasks/{task_id}", "GET")
MUSIC_CREATE = _suno("create", "/create")
MUSIC_EXTEND = _suno("extend", "/extend")
MUSIC_COVER = _suno("cover", "/cover")
MUSIC_UPLOAD_EXTEND = _suno("upload-extend", "/upload-extend")
MUSIC_UPLOAD_COVER = _suno("upload-cover", "/upload-cover")
MUSIC_REPLACE = _suno("replace", "/replace-section")
MUSIC_CONCAT = _suno("concat", "/concat")
MUSIC_STEMS = _suno("stems", "/stems")
MUSIC_MIDI = _suno("midi", "/midi")
MUSIC_LYRICS = _suno("lyrics", "/lyrics")
MUSIC_MP4 = _suno("mp4", "/mp4")
MUSIC_WAV = _suno("wav", "/wav")
MUSIC_TIMING = _suno("timing", "/timing")
MUSIC_BEATS = _suno("beats", "/beats")
MUSIC_TAGS = _suno("tags", "/tags")
MUSIC_SUBMIT = ApiOperation("music.submit", "POST", "/suno/submit/{action}", errors="suno")
MUSIC_FETCH = ApiOperation("music.fetch", "GET", "/suno/fetch/{task_id}", errors="suno")
MUSIC_FETCH_MANY = ApiOperation("music.fetch_many", "POST", "/suno/fetch", errors="suno")

BALANCE = ApiOperation("balance", "GET", "/v1/balance")
QUOTE = ApiOperation("quote", "POST", "/v1/quote")
USAGE = ApiOperation("usage.list", "GET", "/v1/usage")
USAGE_OF_CALL = ApiOperation("usage.show", "GET", "/v1/usage/{request_id}")

JOBS = ApiOperation("jobs.list", "GET", "/v1/jobs")
JOB = ApiOperation("jobs.show", "GET", "/v1/jobs/{job_id}")
JOB_EVENTS = ApiOperation("jobs.events", "GET", "/v1/jobs/{job_id}/events")
JOB_CANCEL = ApiOperation("jobs.cancel", "POST", "/v1/jobs/{job_id}/cancel")
JOB_DELETE = ApiOperation("jobs.delete", "DELETE", "/v1/jobs/{job_id}")
JOB_CALLBACK = ApiOperation("jobs.callback", "POST", "/v1/callbacks/{job_id}/{token}", auth="none")
WEBHOOK_SECRET = ApiOperation("jobs.webhook_secret", "GET", "/v1/webhook_secret")
RESULT = ApiOperation("results.show", "GET", "/v1/results/{job_id}/{name}", auth="none")

HEALTH = ApiOperation("health", "GET", "/healthz", auth="none")
READINESS = ApiOperation("readiness", "GET", "/readyz", auth="none")
METRICS = ApiOperation("metrics", "GET", "/metrics", auth="none")
UPSTREAMS = ApiOperation("upstreams", "GET", "/internal/upstreams", auth="none")

OPENAPI_DOCUMENT = ApiOperation("reference.openapi", "GET", "/openapi.json", auth="none")
COLLECTION = ApiOperation("reference.collection", "GET", "/collection.json", auth="none")
LLMS_TXT = ApiOperation("reference.llms", "GET", "/llms.txt", auth="none")
MARKDOWN_PAGE = ApiOperation("reference.page", "GET", "/docs/{page}.md", auth="none")
PICTURE = ApiOperation("reference.picture", "GET", "/docs/{picture}.png", auth="none")

TABLE: tuple[ApiOperation, ...] = (
    CHAT_COMPLETIONS,
    APP_CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    RERANK,
    MODERATIONS,
    LIST_MODELS,
    SHOW_MODEL,
    BALANCE,
    QUOTE,
    USAGE,
    USAGE_OF_CALL,
    JOBS,
    JOB,
    JOB_EVENTS,
    JOB_CANCEL,
    JOB_DELETE,
    JOB_CALLBACK,
    WEBHOOK_SECRET,
    RESULT,
    HEALTH,
    READINESS,
    METRICS,
    UPSTREAMS,
    OPENAPI_DOCUMENT,
    COLLECTION,
    LLMS_TXT,
    MARKDOWN_PAGE,
    PICTURE,
    RESPONSES,
    SHOW_RESPONSE,
    DELETE_RESPONSE,
    RESPONSE_ITEMS,
    RESPONSE_TOKENS,
    COMPACT_RESPONSE,
    CANCEL_RESPONSE,
    IMAGE_GENERATIONS,
    IMAGE_EDITS,
    IMAGE_VARIATIONS,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    VIDEOS,
    SHOW_VIDEO,
    VIDEO_CONTENT,
    LIST_VIDEOS,
    DELETE_VIDEO,
    REMIX_VIDEO,
    EDIT_VIDEO,
    EXTEND_VIDEO,
    VIDEO_CHARACTERS,
    ANTHROPIC_MESSAGES,
    ANTHROPIC_COUNT_TOKENS,
    GEMINI_GENERATE,
    GEMINI_STREAM,
    GEMINI_COUNT,
    GEMINI_EMBED,
    GEMINI_BATCH_EMBED,
    GEMINI_LIST_MODELS,
    GEMINI_SHOW_MODEL,
    DASHSCOPE_TEXT,
    DASHSCOPE_MULTIMODAL,
    DASHSCOPE_TEXT_EMBEDDING,
    DASHSCOPE_MULTIMODAL_EMBEDDING,
    DASHSCOPE_RERANK,
    DASHSCOPE_UPLOAD_POLICY,
    DASHSCOPE_UPLOAD,
    DASHSCOPE_IMAGE,
    DASHSCOPE_IMAGE_EDIT,
    DASHSCOPE_IMAGE_GENERATION,
    DASHSCOPE_VIDEO,
    DASHSCOPE_FRAMES,
    DASHSCOPE_TRANSCRIPTION,
    DASHSCOPE_TASK,
    DASHSCOPE_TASKS,
    DASHSCOPE_TASK_CANCEL,
    MUSIC_TASK,
    MUSIC_CREATE,
    MUSIC_EXTEND,
    MUSIC_COVER,
    MUSIC_UPLOAD_EXTEND,
    MUSIC_UPLOAD_COVER,
    MUSIC_REPLACE,
    MUSIC_CONCAT,
    MUSIC_STEMS,
    MUSIC_MIDI,
    MUSIC_LYRICS,
    MUSIC_MP4,
    MUSIC_WAV,
    MUSIC_TIMING,
    MUSIC_BEATS,
    MUSIC_TAGS,
    MUSIC_SUBMIT,
    MUSIC_FETCH,
    MUSIC_FETCH_MANY,
)
