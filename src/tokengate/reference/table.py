"""The one table of operations: what the gateway serves, and what its portal describes as still to come.

A surface serves an operation by binding a handler to its row, which is the only way into dispatch; the published
documents are built from the rows that are bound. Words, examples and the parameters of operations that are not served
yet are in `data/operations/*.toml`, read when the first page is asked for.
"""

from typing import Literal

from msgspec import Struct

from tokengate.formats.openai.parameters import ChatBody, CompletionBody, EmbeddingBody

Method = Literal["GET", "POST", "DELETE"]
ErrorShape = Literal["openai", "anthropic"]
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "none"]

OPENAI_BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")


class ApiOperation(Struct, frozen=True, eq=False):
    """One operation. Its full path is one of `bases`, then `path`; `request` is the struct that checks its body."""

    id: str
    method: Method
    path: str
    bases: tuple[str, ...] = ("",)
    auth: Auth = "bearer"
    request: type[Struct] | None = None
    errors: ErrorShape = "openai"  # the format in whose words its refusals are

    def paths(self) -> tuple[str, ...]:
        """Return the full path under each base."""
        return tuple(base + self.path for base in self.bases)

    @property
    def first_path(self) -> str:
        """The full path under the first base, which examples use."""
        return self.bases[0] + self.path


def _openai(id: str, path: str, request: type[Struct] | None = None, method: Method = "POST") -> ApiOperation:
    return ApiOperation(id, method, path, OPENAI_BASES, request=request)


def _suno(id: str, path: str, method: Method = "POST") -> ApiOperation:
    return ApiOperation(f"suno.{id}", method, path, ("/suno",))


CHAT_COMPLETIONS = _openai("chat.completions", "/chat/completions", ChatBody)
APP_CHAT = ApiOperation("apps.chat", "POST", "/v1/apps/{name}/chat/completions", request=ChatBody)
COMPLETIONS = _openai("completions", "/completions", CompletionBody)
EMBEDDINGS = _openai("embeddings", "/embeddings", EmbeddingBody)
LIST_MODELS = _openai("models.list", "/models", method="GET")
SHOW_MODEL = _openai("models.show", "/models/{model}", method="GET")

ANTHROPIC_MESSAGES = ApiOperation("anthropic.messages", "POST", "/v1/messages", auth="x-api-key", errors="anthropic")
ANTHROPIC_COUNT_TOKENS = ApiOperation(
    "anthropic.count_tokens", "POST", "/v1/messages/count_tokens", auth="x-api-key", errors="anthropic"
)

BALANCE = ApiOperation("balance", "GET", "/v1/balance")
QUOTE = ApiOperation("quote", "POST", "/v1/quote")
USAGE = ApiOperation("usage.list", "GET", "/v1/usage")
USAGE_OF_CALL = ApiOperation("usage.show", "GET", "/v1/usage/{request_id}")

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
    LIST_MODELS,
    SHOW_MODEL,
    BALANCE,
    QUOTE,
    USAGE,
    USAGE_OF_CALL,
    HEALTH,
    READINESS,
    METRICS,
    UPSTREAMS,
    OPENAPI_DOCUMENT,
    COLLECTION,
    LLMS_TXT,
    MARKDOWN_PAGE,
    PICTURE,
    _openai("responses", "/responses"),
    _openai("images.generations", "/images/generations"),
    _openai("images.edits", "/images/edits"),
    _openai("audio.speech", "/audio/speech"),
    _openai("audio.transcriptions", "/audio/transcriptions"),
    _openai("videos.create", "/videos"),
    _openai("videos.show", "/videos/{video_id}", method="GET"),
    _openai("videos.content", "/videos/{video_id}/content", method="GET"),
    ANTHROPIC_MESSAGES,
    ANTHROPIC_COUNT_TOKENS,
    ApiOperation("gemini.generate", "POST", "/v1beta/models/{model}:generateContent", auth="x-goog-api-key"),
    ApiOperation("gemini.stream", "POST", "/v1beta/models/{model}:streamGenerateContent", auth="x-goog-api-key"),
    ApiOperation("dashscope.text", "POST", "/api/v1/services/aigc/text-generation/generation"),
    ApiOperation("dashscope.multimodal", "POST", "/api/v1/services/aigc/multimodal-generation/generation"),
    ApiOperation("dashscope.image", "POST", "/api/v1/services/aigc/text2image/image-synthesis"),
    ApiOperation("dashscope.video", "POST", "/api/v1/services/aigc/video-generation/video-synthesis"),
    ApiOperation("dashscope.task", "GET", "/api/v1/tasks/{task_id}"),
    _suno("fetch", "/fetch/{task_id}", "GET"),
    _suno("create", "/submit/music"),
    _suno("extend", "/submit/music"),
    _suno("cover", "/submit/music"),
    _suno("upload-extend", "/submit/music"),
    _suno("upload-cover", "/submit/music"),
    _suno("replace", "/submit/music"),
    _suno("concat", "/submit/concat"),
    _suno("stems", "/submit/music"),
    _suno("midi", "/act/midi/{clip_id}", "GET"),
    _suno("lyrics", "/submit/lyrics"),
    _suno("mp4", "/act/mp4/{clip_id}", "GET"),
    _suno("wav", "/act/wav/{clip_id}", "GET"),
    _suno("timing", "/act/timing/{clip_id}", "GET"),
    _suno("beats", "/act/beats/{clip_id}", "GET"),
    _suno("tags", "/submit/tags"),
)
