"""Replies about music: the widespread shape, with the gateway's own ids and addresses and none of the vendor's."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.jobs import Job, JobError, JobFile, JobState
from tokengate.core.music import Clip, Compose, Lyrics, Made, MusicAction, write_made
from tokengate.formats.suno.ids import ClipId, is_task_id, read_clip_id, write_clip_id
from tokengate.formats.suno.replies import write_error, write_taken, write_task, write_tasks

HEX = "019aa5d3c1f8a1b2c3d4e5f60718293a"
ID = f"job_{HEX}"
SITE = "https://gate.example"


def job(action: MusicAction = "create", made: Made | None = None, **more: Any) -> Job:
    values: dict[str, Any] = {
        "id": ID,
        "kind": "music",
        "model": "sunoV2",
        "task": Compose(format="suno", model="sunoV2", action=action, callback_url="https://ours.example/"),
        "state": JobState.SUCCEEDED,
        "percent": 100,
        "created_s": 1_779_702_289,
        "started_s": 1_779_702_291,
        "ended_s": 1_779_702_401,
        "kept": write_made(made) if made else b"",
        "cost_nano": 500_000_000,
    }
    return Job(**(values | more))


def told(one: Job, *, widespread: bool = False) -> Any:
    answer = json.loads(write_task(one, SITE, widespread=widespread))
    assert (answer["code"], answer["message"]) == ("success", "")
    return answer["data"]


def test_a_submission_is_answered_with_the_task_s_id():
    assert json.loads(write_taken(job())) == {"code": "success", "message": "", "data": ID}


def test_clips_have_our_ids_and_our_addresses():
    clip = Clip(
        "vendor-1",
        title="月光",
        tags="pop",
        prompt="[Verse]",
        kind="gen",
        model="chirp-crow",
        version="v5",
        duration_s="152.40",
        created="2026-05-25T09:46:41Z",
        files={"audio": "clip-1.mp3", "image": "clip-1.jpeg"},
    )
    files = (JobFile("clip-1.mp3", "audio/mpeg", 1, "/v1/results/1"),)

    data = told(job(made=Made("task", clips=(clip,)), files=files))

    assert data == {
        "task_id": ID,
        "notify_hook": "https://ours.example/",
        "action": "create",
        "model": "sunoV2",
        "status": "SUCCESS",
        "fail_reason": "",
        "submit_time": 1_779_702_289,
        "start_time": 1_779_702_291,
        "finish_time": 1_779_702_401,
        "progress": "100%",
        "result_url": "https://gate.example/v1/results/1",
        "cost": "0.5",
        "data": [
            {
                "id": f"clip_{HEX}_1",
                "title": "月光",
                "status": "complete",
                "audio_url": "https://gate.example/v1/results/1",
                "video_url": "",
                "image_url": "",  # a cover that could not be kept
                "image_large_url": "",
                "model_name": "chirp-crow",
                "major_model_version": "v5",
                "created_at": "2026-05-25T09:46:41Z",
                "metadata": {"tags": "pop", "prompt": "[Verse]", "type": "gen", "duration": 152.4},
            }
        ],
    }


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        (JobState.QUEUED, "QUEUED", "7%"),
        (JobState.RUNNING, "IN_PROGRESS", "7%"),
        (JobState.FAILED, "FAILURE", "100%"),
        (JobState.CANCELLED, "FAILURE", "100%"),
        (JobState.EXPIRED, "FAILURE", "100%"),
    ],
)
def test_every_state_has_its_status(state: JobState, status: str, progress: str):
    data = told(job(state=state, percent=7, started_s=None, ended_s=None))

    assert (data["status"], data["progress"], data["data"]) == (status, progress, None)
    assert (data["start_time"], data["finish_time"]) == (0, 0)


def test_a_failure_says_why():
    failed = job(state=JobState.FAILED, error=JobError("SENSITIVE_WORD_ERROR", "Sensitive words."))

    assert told(failed)["fail_reason"] == "Sensitive words."
    assert told(job(state=JobState.EXPIRED))["fail_reason"]


def test_what_has_no_clips_is_an_object():
    file = JobFile("film.mp4", "video/mp4", 1, "/v1/results/2")
    lyrics = Made("t", lyrics=(Lyrics("la", "A", ("pop",)), Lyrics("lo")))
    timing = Made("t", details=Raw(b'{"aligned_words":[]}'))

    assert told(job("mp4", Made("t", files={"video": "film.mp4"}), files=(file,)))["data"] == {
        "video_url": SITE + file.path
    }
    assert told(job("tags", Made("t", tags="warm synths")))["data"] == {"tags": "warm synths"}
    assert told(job("timing", timing))["data"] == {"aligned_words": []}
    assert told(job("lyrics", lyrics))["data"] == {
        "id": ID,
        "status": "complete",
        "title": "A",
        "text": "la",
        "tags": ["pop"],
        "alternatives": [{"id": ID, "status": "complete", "title": "", "text": "lo", "tags": []}],
    }


def test_the_widespread_shape_has_its_own_words_for_actions():
    assert [told(job(action), widespread=True)["action"] for action in ("create", "stems", "lyrics", "tags")] == [
        "MUSIC",
        "MUSIC",
        "LYRICS",
        "UPSAMPLE_TAGS",
    ]
    assert [one["task_id"] for one in json.loads(write_tasks([job()], SITE))["data"]] == [ID]


def test_errors_have_the_same_envelope():
    missing = NotFound("There is no task 'x'.", code="task_not_exist")

    assert json.loads(write_error(missing, "req")) == {
        "code": "task_not_exist",
        "message": "There is no task 'x'.",
        "data": None,
    }
    assert json.loads(write_error(BadRequest("No."), "req"))["code"] == "invalid_request_error"


def test_ids_are_read_as_they_were_written():
    assert write_clip_id(ID, 2) == f"clip_{HEX}_2"
    assert read_clip_id(f"clip_{HEX}_2") == ClipId(ID, 2)
    for text in ("", HEX, f"clip_{HEX}", f"clip_{HEX}_0", f"clip_{HEX}_1\n", f"clip_{HEX.upper()}_1", "e1c8a9d2-6d1e"):
        assert read_clip_id(text) is None
    assert is_task_id(ID) and not is_task_id(ID + "\n") and not is_task_id("job_1")
