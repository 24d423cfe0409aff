from typing import Any

import pytest
from msgspec.structs import replace

from tokengate.core.images import Size
from tokengate.core.jobs import Job, JobError, JobState
from tokengate.core.usage import Usage
from tokengate.core.video import Film
from tokengate.formats.openai.videos import read_id, shown_id, write_deleted, write_list, write_video

DIGITS = "0123456789abcdef" * 2
FILM = Film(format="openai", model="sora-2", prompt="a cat", seconds=8, size=Size(1280, 720))
JOB = Job(
    id=f"job_{DIGITS}",
    kind="video",
    model="sora-2",
    task=FILM,
    state=JobState.QUEUED,
    percent=0,
    created_s=1_790_000_000,
)


def test_a_job_is_a_video_object():
    assert write_video(JOB) == {
        "id": f"video_{DIGITS}",
        "object": "video",
        "model": "sora-2",
        "status": "queued",
        "progress": 0,
        "created_at": 1_790_000_000,
        "completed_at": None,
        "expires_at": None,
        "seconds": "8",
        "size": "1280x720",
        "prompt": "a cat",
        "remixed_from_video_id": None,
        "error": None,
    }


def test_a_video_that_is_done_says_what_was_made_and_until_when_it_is_there():
    done = replace(
        JOB,
        state=JobState.SUCCEEDED,
        percent=100,
        ended_s=1_790_000_060,
        files_until_s=1_790_086_460,
        usage=Usage(second=5, request=1),
        told=b'{"seconds":4,"size":"1920x1080"}',
    )

    video = write_video(done)

    assert (video["status"], video["progress"], video["completed_at"]) == ("completed", 100, 1_790_000_060)
    assert (video["seconds"], video["size"], video["expires_at"]) == ("5", "1920x1080", 1_790_086_460)


@pytest.mark.parametrize(
    ("film", "told", "seconds", "size"),
    [
        ({"seconds": None, "size": None}, b"", "5", "1280x720"),
        ({"seconds": None, "size": None}, b'{"seconds":4,"size":"720x1280"}', "4", "720x1280"),
        ({"size": None, "resolution": "480P"}, b'{"revised_prompt": "x"}', "8", "832x480"),
    ],
)
def test_what_nobody_said_is_what_it_will_be_as_far_as_is_known(
    film: dict[str, Any], told: bytes, seconds: str, size: str
):
    video = write_video(replace(JOB, task=replace(FILM, most_seconds=5, **film), told=told))

    assert (video["seconds"], video["size"]) == (seconds, size)


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        (JobState.FAILED, JobError("moderation_blocked", "No."), "moderation_blocked"),
        (JobState.FAILED, None, "video_failed"),
        (JobState.CANCELLED, None, "video_cancelled"),
        (JobState.EXPIRED, None, "video_expired"),
    ],
)
def test_whatever_did_not_succeed_failed_and_says_why(state: JobState, error: JobError | None, code: str):
    video = write_video(replace(JOB, state=state, error=error))

    assert video["status"] == "failed"
    assert video["error"]["code"] == code and video["error"]["message"]


def test_a_video_that_runs_is_in_progress():
    assert write_video(replace(JOB, state=JobState.RUNNING, percent=33))["status"] == "in_progress"


def test_a_remix_names_its_source():
    remix = replace(JOB, task=replace(FILM, remix_of=f"job_{DIGITS[::-1]}"))

    assert write_video(remix)["remixed_from_video_id"] == f"video_{DIGITS[::-1]}"


def test_ids_go_there_and_back():
    assert read_id(shown_id(JOB.id)) == JOB.id
    assert read_id(JOB.id) == JOB.id
    for wrong in ("", "video_", "video_1", f"video_{DIGITS}x", f"file_{DIGITS}", f"video_{DIGITS.upper()}"):
        assert read_id(wrong) is None


def test_a_list_names_its_ends():
    other = replace(JOB, id=f"job_{DIGITS[::-1]}")

    page = write_list([JOB, other], has_more=True)

    assert page["object"] == "list" and page["has_more"] is True
    assert [video["id"] for video in page["data"]] == [page["first_id"], page["last_id"]]
    assert write_list([], has_more=False) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_a_deletion_says_so():
    assert write_deleted(JOB.id) == {"id": f"video_{DIGITS}", "object": "video.deleted", "deleted": True}
