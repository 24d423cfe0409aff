"""Pictures as the pipeline sees them, in any format: what they may cost at most, and whether what came with the request
is fit to be sent on.
"""

from msgspec.structs import replace

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
from tokengate.core.errors import BadRequest
from tokengate.core.images import Draw, ImageFormat, Size
from tokengate.core.parts import Data, Source
from tokengate.core.splice import read_members
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.picture_check import checked
from tokengate.gateway.pictures import pictured


def image_operation(*, name: str, path: str, format: ImageFormat) -> Operation:
    """Return the operation of a format for its task. `path` is what messages call it."""

    def read(body: bytes) -> Asked:
        draw = with_checked_pictures(format.read(body))
        members = read_members(body)
        sources = [*draw.pictures, *([draw.mask] if draw.mask is not None else [])]
        inside = sum(len(source.base64) for source in sources if isinstance(source, Data))
        return Asked(
            members=members,
            model=draw.model,
            stream=draw.stream,
            include_usage=True,
            output_cap=draw.tokens_bound,
            prompts=1,
            choices=draw.n,
            generated=draw.n,
            prompt_bound=prompt_bound(len(body), media_size_bytes=inside),
            pictures=len(sources),
            images=draw.n,
            size=str(draw.size) if draw.size else None,
            quality=draw.quality,
            draw=draw,
        )

    return Operation(
        name=name,
        path=path,
        kinds=frozenset({"image"}),
        read=read,
        chat_names=False,
        prompt_estimate=lambda body: estimate_tokens(format.read(body).prompt),
        speaks=format.name,
        images=format,
        way=pictured(format),
    )


def with_checked_pictures(draw: Draw) -> Draw:
    """Return the request with every picture that is inside it known to be one. Raises BadRequest."""
    first: Size | None = None
    pictures: list[Source] = []
    for index, source in enumerate(draw.pictures):
        kept, size = _checked_source(source, "image" if len(draw.pictures) == 1 else f"image[{index}]")
        pictures.append(kept)
        first = size if index == 0 else first
    if draw.mask is None:
        return replace(draw, pictures=tuple(pictures))
    mask, size = _checked_source(draw.mask, "mask")
    if first is not None and size is not None and first != size:
        raise BadRequest(f"The mask is {size}, and the picture {first}: they must be alike.", param="mask")
    return replace(draw, pictures=tuple(pictures), mask=mask)


def _checked_source(source: Source, param: str) -> tuple[Source, Size | None]:
    return checked(source, param) if isinstance(source, Data) else (source, None)
