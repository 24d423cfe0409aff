"""Pictures that a vendor makes at once, as a job: it ends with its submission."""

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Draw, Drawing, DrawingTold, ImageFormats, Made, Picture
from tokengate.core.jobs import JobRequest, JobState, Progress, Submitted, VendorFile
from tokengate.core.parts import NO_EXTRA
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses

_encode: Final = msgspec.json.Encoder().encode


class AtOnce(Struct, frozen=True):
    """Implements `core.jobs.JobFormat` for pictures, with what the vendor is asked for them otherwise."""

    images: ImageFormats

    @property
    def name(self) -> str:
        return next(iter(self.images.values())).name

    @property
    def inlines(self) -> bool:
        return any(format.inlines for format in self.images.values())

    @property
    def storage(self) -> None:
        return None

    @property
    def resubmits(self) -> bool:
        return False

    def submit(self, task: Draw, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the request for the pictures. Raises Unsupported."""
        format = self.images.get(task.task)
        if format is None:
            raise losses.refuse("image" if task.pictures else "prompt", f"is not what {losses.target} draws from")
        if task.format != format.name and task.essential:
            raise losses.refuse(min(task.essential))
        # What another format calls its own is no parameter of this one.
        extra = task.extra if task.format == format.name else NO_EXTRA
        for name in task.extra if extra is NO_EXTRA else ():
            losses.drop(name)
        whole = replace(task, delivery=None, stream=False, partial_images=None, extra=extra)
        return JobRequest("POST", format.path(task.model), format.write(whole, losses))

    def read_submitted(self, body: bytes, task: Draw) -> Submitted:
        """Read the pictures. Raises UpstreamFailed."""
        drawing = self.images[task.task].read_reply(body, task)
        usage = drawing.usage or ReportedUsage(Usage(image=len(drawing.pictures), request=1), b"", size=drawing.size)
        told = DrawingTold(tuple(Made(picture.revised_prompt or "") for picture in drawing.pictures))
        files = tuple(_file(at, picture, drawing) for at, picture in enumerate(drawing.pictures))
        return Submitted("", Progress(JobState.SUCCEEDED, percent=100, files=files, usage=usage, told=_encode(told)))

    def search(self, task: Draw) -> None:
        return None  # what was not answered is nowhere to be found

    def calls_back(self, task: Draw) -> bool:
        return False

    def read_callback(self, body: bytes) -> str:
        return ""

    def look(self, vendor_id: str, task: Draw) -> JobRequest:
        raise AssertionError("such a job has ended before anybody looks")

    def read_progress(self, body: bytes, task: Draw) -> Progress:
        raise AssertionError("such a job has ended before anybody looks")

    def cancel(self, vendor_id: str) -> JobRequest | None:
        return None


def _file(at: int, picture: Picture, drawing: Drawing) -> VendorFile:
    kind = drawing.output_format or "png"
    name = f"image-{at}.{kind}"
    if picture.url is not None:
        return VendorFile(name, url=picture.url)
    try:
        data = base64.b64decode(picture.base64 or "", validate=True)
    except binascii.Error as error:
        raise UpstreamFailed("The upstream's picture cannot be read.", kind="invalid") from error
    return VendorFile(name, data=data, media_type=f"image/{kind}")
