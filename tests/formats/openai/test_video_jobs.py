import json
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from tests.simulators.image_upstream import File, read_form
from tests.simulators.openai_upstream import Call
from tokengate.core.errors import Unsupported, UpstreamFailed
from tokengate.core.images import Size
from tokengate.core.jobs import JobError, JobRequest, JobState, Progress, VendorFile
from tokengate.core.parts import Data, FileId, Url
from tokengate.core.service import Form
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.video import Film, FilmOrigin
from tokengate.core.wire import Losses
from tokengate.formats.openai.video_jobs import OpenAIVideos
from tokengate.formats.openai.video_requests import NAMES
from tokengate.providers.openai import PROVIDER as OPENAI
from tokengate.providers.vllm import PROVIDER as VLLM

FILM = Film(format="openai", model="theirs", prompt="a cat")
SORA: OpenAIVideos = OPENAI.jobs["video"]  # pyright: ignore[reportAssignmentType] the only format there
OMNI: OpenAIVideos = VLLM.jobs["video"]  # pyright: ignore[reportAssignmentType] the only format there


async def submitted(vendor: OpenAIVideos, **more: Any) -> tuple[dict[str, Any], list[File], list[str]]:
    losses = Losses("them", NAMES)
    request = vendor.submit(replace(FILM, **more), losses, key="job_1", callback="")
    assert (request.method, request.path) == ("POST", "/videos")
    form = request.body
    assert isinstance(form, Form)
    fields, files = read_form(Call("POST", request.path, {"content-type": form.content_type}, b"", form.body))
    return fields, files, losses.dropped


def video(**more: Any) -> bytes:
    said: dict[str, Any] = {"id": "video_1", "object": "video", "status": "queued", "progress": 0, "seconds": "8"}
    return json.dumps(said | {"size": "1280x720", "error": None} | more).encode()


async def test_a_submission_is_a_form_that_says_how_long():
    fields, files, dropped = await submitted(SORA)

    assert fields == {"model": "theirs", "prompt": "a cat", "seconds": "4"}
    assert (files, dropped) == ([], [])


async def test_a_picture_is_a_file_of_the_form_or_an_address():
    fields, files, _ = await submitted(SORA, size=Size(1280, 720), seconds=8, first_frame=Data("image/jpeg", "QUJD"))
    named, none, _ = await submitted(SORA, first_frame=Url("https://a.example/b.png"))

    assert fields == {"model": "theirs", "prompt": "a cat", "seconds": "8", "size": "1280x720"}
    assert files == [File("input_reference", "image/jpeg", b"ABC")]
    assert named["input_reference[image_url]"] == "https://a.example/b.png" and none == []


async def test_a_resolution_is_said_as_a_size():
    fields, _, _ = await submitted(OMNI, resolution="480P")

    assert fields["size"] == "832x480"


async def test_vllm_omni_is_told_what_it_has_beside():
    fields, _, dropped = await submitted(
        OMNI,
        negative_prompt="dogs",
        seed=7,
        has_sound=True,
        audio=Data("audio/wav", "QUJD"),
        extra={"guidance_scale": Raw(b"4.5"), "num_inference_steps": Raw(b'"40"'), "style": Raw(b'"oil"')},
    )

    assert fields == {
        "model": "theirs",
        "prompt": "a cat",
        "seconds": "4",
        "negative_prompt": "dogs",
        "seed": "7",
        "generate_sound": "true",
        "audio_reference": '{"audio_url":"data:audio/wav;base64,QUJD"}',
        "guidance_scale": "4.5",
        "num_inference_steps": "40",
    }
    assert dropped == ["style"]


async def test_frames_stand_for_seconds_where_the_vendor_takes_them():
    frames = {"num_frames": Raw(b"81"), "fps": Raw(b"16")}

    ours, _, _ = await submitted(OMNI, seconds=6, extra=frames)
    theirs, _, dropped = await submitted(SORA, seconds=6, extra=frames)

    assert ours == {"model": "theirs", "prompt": "a cat", "num_frames": "81", "fps": "16"}
    assert theirs == {"model": "theirs", "prompt": "a cat", "seconds": "6"}
    assert dropped == ["num_frames", "fps"]


async def test_what_another_format_kept_is_named():
    fields, _, dropped = await submitted(OMNI, format="dashscope", extra={"guidance_scale": Raw(b"4.5")})

    assert "guidance_scale" not in fields
    assert dropped == ["guidance_scale"]


@pytest.mark.parametrize(
    ("word", "value", "name"),
    [
        ("seed", 7, "seed"),
        ("has_sound", False, "generate_sound"),
        ("extends_prompt", True, "prompt_extend"),
        ("watermark", False, "watermark"),
    ],
)
async def test_what_changes_little_is_dropped_by_name(word: str, value: Any, name: str):
    fields, _, dropped = await submitted(SORA, **{word: value})

    assert name not in fields
    assert dropped == [name]


@pytest.mark.parametrize(
    ("word", "value", "name"),
    [
        ("negative_prompt", "dogs", "negative_prompt"),
        ("watermark", True, "watermark"),
        ("last_frame", Url("https://a.example/b.png"), "last_frame"),
        ("audio", Url("https://a.example/b.wav"), "audio"),
        ("first_frame", FileId("file-1"), "input_reference"),
    ],
)
async def test_what_makes_another_film_is_refused_by_name(word: str, value: Any, name: str):
    with pytest.raises(Unsupported) as caught:
        await submitted(SORA, **{word: value})

    assert caught.value.param == name


def test_a_remix_names_the_vendors_video():
    request = SORA.submit(
        replace(FILM, remix_of="job_1", origin=FilmOrigin("openai", "video/1")),
        Losses("them", NAMES),
        key="",
        callback="",
    )

    assert request == JobRequest("POST", "/videos/video%2F1/remix", b'{"prompt":"a cat"}')


def test_a_vendor_without_remixes_refuses_one():
    with pytest.raises(Unsupported) as caught:
        OMNI.submit(
            replace(FILM, remix_of="job_1", origin=FilmOrigin("omni", "video_1")),
            Losses("omni", NAMES),
            key="",
            callback="",
        )

    assert caught.value.message == "'video' cannot be remixed: omni has no remixes."


def test_how_far_it_is_is_read():
    told = b'{"seconds":8,"size":"1280x720"}'

    assert SORA.read_submitted(video(), FILM).vendor_id == "video_1"
    assert SORA.read_submitted(video(), FILM).progress == Progress(JobState.QUEUED, 0, told=told)
    assert SORA.read_progress(video(status="in_progress", progress=33), FILM) == Progress(
        JobState.RUNNING, 33, told=told
    )


def test_a_film_that_is_done_has_files_and_says_what_was_delivered():
    progress = SORA.read_progress(video(status="completed", progress=100), FILM)

    assert (progress.state, progress.percent) == (JobState.SUCCEEDED, 100)
    assert progress.kept == b'{"vendor_id":"video_1"}'
    assert progress.files == (
        VendorFile("video.mp4", path="/videos/video_1/content", media_type="video/mp4"),
        VendorFile(
            "thumbnail.webp",
            path="/videos/video_1/content?variant=thumbnail",
            media_type="image/webp",
            optional=True,
        ),
        VendorFile(
            "spritesheet.jpg",
            path="/videos/video_1/content?variant=spritesheet",
            media_type="image/jpeg",
            optional=True,
        ),
    )
    assert progress.usage == ReportedUsage(
        Usage(second=8, request=1), b'{"seconds":8,"size":"1280x720"}', size="1280x720", resolution="720P"
    )


def test_vllm_omni_delivers_what_it_was_asked_for():
    asked = replace(FILM, seconds=6, size=Size(832, 480))

    progress = OMNI.read_progress(video(status="completed", seconds="4", size=None), asked)

    assert progress.usage is not None
    assert (progress.usage.usage.second, progress.usage.size, progress.usage.resolution) == (6, "832x480", "480P")
    assert [file.name for file in progress.files] == ["video.mp4"]
    assert progress.told == b'{"seconds":6,"size":"832x480"}'


def test_a_size_that_nobody_said_has_no_price_class():
    progress = OMNI.read_progress(video(status="completed", size=None), FILM)

    assert progress.usage is not None
    assert (progress.usage.usage.second, progress.usage.size, progress.usage.resolution) == (4, None, None)


@pytest.mark.parametrize("seconds", ["", "eight", "0", "99999999999", "8.5"])
def test_a_length_that_is_none_is_what_was_asked_for(seconds: str):
    progress = SORA.read_progress(video(status="completed", seconds=seconds), replace(FILM, seconds=12))

    assert progress.usage is not None and progress.usage.usage.second == 12


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "moderation_blocked", "message": "No."}, JobError("moderation_blocked", "No.")),
        ({"code": 500, "message": "Out of memory"}, JobError("500", "Out of memory")),
        (None, JobError("video_generation_failed", "The upstream did not say why.")),
    ],
)
def test_a_failure_has_its_reason(error: Any, expected: JobError):
    progress = SORA.read_progress(video(status="failed", error=error), FILM)

    assert (progress.state, progress.error, progress.usage) == (JobState.FAILED, expected, None)


def unreadable() -> Iterable[bytes]:
    return (b"", b"[]", b"{}", b"\xff", video(status="baking"), video(id=""), video(id=7), b"[" * 5_000)


@pytest.mark.parametrize("body", unreadable())
def test_what_is_no_video_is_the_upstreams_failure(body: bytes):
    with pytest.raises(UpstreamFailed):
        SORA.read_progress(body, FILM)


def test_only_a_server_that_deletes_what_it_is_at_cancels():
    assert SORA.cancel("video_1") is None
    assert OMNI.cancel("video_1") == JobRequest("DELETE", "/videos/video_1")
    assert SORA.look("video_1", FILM) == JobRequest("GET", "/videos/video_1")
