"""DashScope's own SDK makes pictures and films and has recordings heard as tasks: straight at the simulated vendor, and
through the gateway, where other vendors make them too.
"""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.aigc.image_generation import ImageGeneration
from dashscope.audio.asr import Transcription
from dashscope.utils.oss_utils import OssUtils

from tests.judges.dashscope_task_place import Place, fetched, place_of, pointed_at
from tests.simulators.dashscope_tasks import FILM_BYTES
from tests.simulators.openai_transcription import tone

sdk: Any = dashscope  # its own types are loose
hearing: Any = Transcription
drawing: Any = ImageGeneration
uploader: Any = OssUtils

SOUND = tone(1.0)
PICTURE = "https://img.example/dog.png"
UNKNOWN = "0385dc79-5ff8-4d82-bcb6-7b4a5d2b9a1e"


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("tasks")) as place:
        yield place


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    with pointed_at(opened, monkeypatch):
        yield opened


def test_pictures_are_made_of_words(place: Place) -> None:
    reply = sdk.ImageSynthesis.call("wan2.2-t2i-flash", "a cat", negative_prompt="dogs", n=2, size="1024*768", seed=7)

    assert (reply.status_code, reply.output.task_status) == (200, "SUCCEEDED"), reply
    pictures = [fetched(place, one.url) for one in reply.output.results]
    assert len(set(pictures)) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert reply.output.results[0]["actual_prompt"] == "a cat, in oil"
    assert reply.output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 2, "FAILED": 0}
    assert reply.usage.image_count == 2


def test_a_task_is_followed_step_by_step(place: Place) -> None:
    task = sdk.ImageSynthesis.async_call("qwen-image", "a cat", n=1)
    assert (task.output.task_status, task.output.results) == ("PENDING", [])

    assert sdk.ImageSynthesis.fetch(task).output.task_status in ("PENDING", "RUNNING")
    done = sdk.ImageSynthesis.wait(task)

    assert done.output.task_status == "SUCCEEDED"
    assert done.output["submit_time"] <= done.output["end_time"]
    assert len(done.output["end_time"]) == len("2026-11-21 20:00:00.000")


def test_only_what_was_delivered_counts(place: Place) -> None:
    reply = sdk.ImageSynthesis.call("wan2.2-t2i-flash", "some fail", n=3)

    assert reply.output.task_status == "SUCCEEDED"
    assert sorted(bool(one.url) for one in reply.output.results) == [False, False, True]
    assert reply.output.results[0]["code"] == "InternalError.Timeout"
    assert reply.output["task_metrics"] == {"TOTAL": 3, "SUCCEEDED": 1, "FAILED": 2}
    assert reply.usage.image_count == 1


def test_pictures_are_changed(place: Place) -> None:
    newer = sdk.ImageSynthesis.call("wan2.5-i2i-preview", "a hat", images=[PICTURE], n=1)
    older = sdk.ImageSynthesis.call(
        "wanx2.1-imageedit", "a hat", function="stylization_all", base_image_url=PICTURE, n=1
    )

    for reply in (newer, older):
        assert reply.output.task_status == "SUCCEEDED", reply
        assert fetched(place, reply.output.results[0].url).startswith(b"\x89PNG")


def test_pictures_are_made_in_messages(place: Place) -> None:
    messages: Any = [{"role": "user", "content": [{"text": "a cat"}]}]

    task = drawing.async_call("wan2.6-t2i", messages=messages, n=1, size="1280*1280")
    done = drawing.wait(task)

    assert done.output["task_status"] == "SUCCEEDED", done
    (choice,) = done.output.choices
    assert fetched(place, choice.message.content[0]["image"]).startswith(b"\x89PNG")
    assert (done.usage["image_count"], done.usage["size"]) == (1, "1280*1280")


FILMS = [
    ("wan2.2-t2v-plus", {"prompt": "a cat", "size": "832*480"}, 480),
    ("wan2.6-t2v", {"prompt": "a cat", "size": "1280*720", "duration": 10}, 720),
    ("wan2.5-i2v-preview", {"prompt": "it runs", "img_url": PICTURE, "resolution": "480P"}, 480),
    ("wan2.7-i2v", {"media": [{"type": "first_frame", "url": PICTURE}], "resolution": "720P"}, 720),
    ("wan2.2-kf2v-flash", {"first_frame_url": PICTURE, "last_frame_url": PICTURE, "resolution": "720P"}, 720),
]


@pytest.mark.parametrize(("model", "asked", "resolution"), FILMS)
def test_films_are_made(place: Place, model: str, asked: dict[str, Any], resolution: int) -> None:
    reply = sdk.VideoSynthesis.call(model, **asked)

    assert (reply.status_code, reply.output.task_status) == (200, "SUCCEEDED"), reply
    assert fetched(place, reply.output.video_url) == FILM_BYTES
    seconds = asked.get("duration", 5)
    assert seconds in (reply.usage.get("duration"), reply.usage.get("video_duration"))
    assert reply.usage["SR"] == resolution


def test_recordings_are_heard(place: Place) -> None:
    urls = ["https://rec.example/one.wav", "https://rec.example/some%20fail.wav"]

    reply = hearing.wait(hearing.async_call("paraformer-v2", urls, language_hints=["zh", "en"]))

    assert reply.output.task_status == "SUCCEEDED", reply
    good, bad = reply.output.results
    assert (good["file_url"], good["subtask_status"]) == (urls[0], "SUCCEEDED")
    said = json.loads(fetched(place, good["transcription_url"]))
    assert said["transcripts"][0]["text"] == "This is one."
    assert (bad["subtask_status"], bad["code"]) == ("FAILED", "InvalidFile.DownloadFailed")
    assert reply.output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 1, "FAILED": 1}
    assert reply.usage["duration"] == 4


def test_an_uploaded_recording_is_heard(place: Place, tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(SOUND)
    address, _ = uploader.upload("paraformer-v2", f"{tmp_path / 'hello.wav'}", api_key=place.key)
    resolve = {"X-DashScope-OssResourceResolve": "enable"}

    reply = hearing.wait(hearing.async_call("paraformer-v2", [address], headers=resolve))
    lost = hearing.async_call("paraformer-v2", [address])

    assert reply.output.task_status == "SUCCEEDED", reply
    said = json.loads(fetched(place, reply.output.results[0]["transcription_url"]))
    assert said["transcripts"][0]["text"].startswith("This is ")
    assert SOUND in place.vendor.uploads.values()
    assert (lost.status_code, lost.code) == (400, "InvalidParameter")


def test_a_task_that_fails_says_why(place: Place) -> None:
    reply = sdk.VideoSynthesis.call("wan2.6-t2v", prompt="fail DataInspectionFailed")

    assert (reply.status_code, reply.output.task_status) == (200, "FAILED")
    assert reply.output["code"] == "DataInspectionFailed"
    assert "inappropriate" in reply.output["message"]
    assert reply.usage is None


def test_a_task_that_waits_is_cancelled_and_another_is_not(place: Place) -> None:
    waits = sdk.VideoSynthesis.async_call("wan2.6-t2v", prompt="queue")
    done = sdk.ImageSynthesis.call("wan2.2-t2i-flash", "a cat", n=1)

    assert sdk.VideoSynthesis.cancel(waits).status_code == 200
    assert sdk.VideoSynthesis.wait(waits).output.task_status == "CANCELED"
    refused = sdk.ImageSynthesis.cancel(done.output.task_id)
    assert (refused.status_code, refused.code) == (400, "UnsupportedOperation")


def test_tasks_are_listed(place: Place) -> None:
    done = sdk.ImageSynthesis.call("wan2.5-t2i-preview", "a cat", n=1)

    reply = sdk.ImageSynthesis.list(model_name="wan2.5-t2i-preview", status="SUCCEEDED", page_size=5)

    assert reply.status_code == 200, reply
    assert (reply.output["page_no"], reply.output["page_size"]) == (1, 5)
    newest = reply.output["data"][0]
    assert newest["task_id"] == done.output.task_id
    assert (newest["model_name"], newest["status"]) == ("wan2.5-t2i-preview", "SUCCEEDED")
    assert newest["gmt_create"] <= newest["end_time"]
    assert reply.output["total"] >= reply.output["total_page"] == 1


def test_an_unknown_task_is_unknown(place: Place) -> None:
    reply = sdk.VideoSynthesis.fetch(UNKNOWN)

    assert (reply.status_code, reply.output.task_status, reply.output.task_id) == (200, "UNKNOWN", UNKNOWN)


def test_refusals_are_in_the_vendors_words(place: Place) -> None:
    nothing = sdk.VideoSynthesis.async_call("wan2.6-t2v")
    wrong_key = sdk.ImageSynthesis.async_call("wan2.2-t2i-flash", "a cat", api_key="sk-wrong")
    moderated = sdk.ImageSynthesis.async_call("wan2.2-t2i-flash", "refuse DataInspectionFailed", n=1)

    assert (nothing.status_code, nothing.code) == (400, "InvalidParameter")
    assert (wrong_key.status_code, wrong_key.code) == (401, "InvalidApiKey")
    assert (moderated.status_code, moderated.code) == (400, "DataInspectionFailed")


def test_a_request_without_the_header_is_refused(place: Place) -> None:
    reply = sdk.ImageSynthesis.sync_call("wan2.2-t2i-flash", "a cat")

    assert (reply.status_code, reply.code) == (403, "AccessDenied")
    assert reply.message == "current user api does not support synchronous calls."
