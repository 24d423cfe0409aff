"""Our jobs, told as DashScope's tasks."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tokengate.core.errors import BadRequest
from tokengate.core.images import Draw, Size
from tokengate.core.jobs import Job, JobError, JobFile, JobState
from tokengate.core.parts import Url
from tokengate.core.recordings import Hear
from tokengate.core.usage import Usage
from tokengate.core.video import Film
from tokengate.formats.dashscope.task_replies import (
    read_span,
    read_states,
    read_task_id,
    write_list,
    write_submitted,
    write_task,
    write_task_id,
    write_unknown,
)

JOB_ID = "job_019aa5d3c1f8a1b2c3d4e5f60718293a"
TASK_ID = "019aa5d3-c1f8-a1b2-c3d4-e5f60718293a"
OWN = "https://gate.example"
AT_S = 1_763_726_400  # 2025-11-21 12:00:00 UTC
FILM = Film(format="dashscope", model="m", prompt="a cat", resolution="720P")


def job(task: Any, state: JobState = JobState.SUCCEEDED, *names: str, **words: Any) -> Job:
    kinds: dict[type, Any] = {Film: "video", Draw: "image", Hear: "transcription"}
    kind = kinds[type(task)]
    types = {"mp4": "video/mp4", "png": "image/png", "json": "application/json"}
    files = tuple(JobFile(name, types[name.rpartition(".")[2]], 9, f"/v1/results/{name}?s=1") for name in names)
    times = {"started_s": AT_S + 1, "ended_s": AT_S + 9} if state.ended else {}
    return Job(
        id=JOB_ID,
        kind=kind,
        model="m",
        task=task,
        state=state,
        percent=0,
        created_s=AT_S,
        files=files,
        **times,
        **words,
    )


def told(one: Job) -> Any:
    return json.loads(write_task(one, "req_1", OWN))


def test_an_id_is_written_as_the_vendors_are_and_read_however_it_is_written() -> None:
    assert write_task_id(JOB_ID) == TASK_ID
    assert {read_task_id(one) for one in (TASK_ID, JOB_ID, TASK_ID.upper(), TASK_ID.replace("-", ""))} == {JOB_ID}
    assert read_task_id("../019aa5d3") is None
    assert read_task_id("") is None


def test_a_submission_waits() -> None:
    reply = json.loads(write_submitted(job(FILM), "req_1"))

    assert reply == {"output": {"task_status": "PENDING", "task_id": TASK_ID}, "request_id": "req_1"}


def test_times_are_beijings() -> None:
    output = told(job(FILM, JobState.SUCCEEDED, "video.mp4"))["output"]

    assert output["submit_time"] == "2025-11-21 20:00:00.000"
    assert output["end_time"] == "2025-11-21 20:00:09.000"


def test_a_film_is_told_with_its_seconds() -> None:
    reply = told(
        job(FILM, JobState.SUCCEEDED, "video.mp4", told=b'{"revised_prompt":"a red cat"}', usage=Usage(second=5))
    )

    assert reply["output"]["video_url"] == f"{OWN}/v1/results/video.mp4?s=1"
    assert (reply["output"]["orig_prompt"], reply["output"]["actual_prompt"]) == ("a cat", "a red cat")
    assert reply["usage"] == {
        "duration": 5,
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
    }


def test_dashscopes_own_usage_stays_as_it_is_and_anothers_does_not() -> None:
    own = job(FILM, JobState.SUCCEEDED, "video.mp4", raw_usage=b'{"video_duration":5,"video_count":1,"SR":480}')
    other = replace(own, raw_usage=b'{"seconds":5}', usage=Usage(second=5))

    assert told(own)["usage"] == {"video_duration": 5, "video_count": 1, "SR": 480}
    assert told(other)["usage"]["duration"] == 5


def test_pictures_stand_in_the_places_of_the_vendors() -> None:
    task = Draw(format="dashscope", model="m", task="generation", prompt="a cat", n=3)
    pictures = b'{"pictures":[{"code":"InternalError.Timeout","message":"late"},{"revised_prompt":"a red cat"},{}]}'

    reply = told(job(task, JobState.SUCCEEDED, "image-0.png", "image-1.png", told=pictures))

    first, second, third = reply["output"]["results"]
    assert first == {"code": "InternalError.Timeout", "message": "late"}
    assert (second["url"], second["actual_prompt"]) == (f"{OWN}/v1/results/image-0.png?s=1", "a red cat")
    assert third == {"orig_prompt": "a cat", "url": f"{OWN}/v1/results/image-1.png?s=1"}
    assert reply["output"]["task_metrics"] == {"TOTAL": 3, "SUCCEEDED": 2, "FAILED": 1}
    assert reply["usage"] == {"image_count": 2}


def test_pictures_asked_for_in_messages_come_in_messages() -> None:
    task = Draw(format="dashscope", model="m", task="generation", in_messages=True, size=Size(1280, 960))

    reply = told(job(task, JobState.SUCCEEDED, "image-0.png"))

    (choice,) = reply["output"]["choices"]
    assert choice["message"]["content"] == [{"image": f"{OWN}/v1/results/image-0.png?s=1", "type": "image"}]
    assert reply["output"]["finished"] is True
    assert reply["usage"] == {"image_count": 1, "size": "1280*960"}


def test_recordings_are_told_one_by_one() -> None:
    task = Hear(format="dashscope", model="m", recordings=(Url("https://a"), Url("https://b")))
    heard = b'{"recordings":[{"code":"InvalidFile.DownloadFailed","message":"gone"},{}]}'

    reply = told(job(task, JobState.SUCCEEDED, "transcription-0.json", told=heard, usage=Usage(second=9)))

    bad, good = reply["output"]["results"]
    assert bad == {
        "file_url": "https://a",
        "code": "InvalidFile.DownloadFailed",
        "message": "gone",
        "subtask_status": "FAILED",
    }
    assert (good["file_url"], good["subtask_status"]) == ("https://b", "SUCCEEDED")
    assert good["transcription_url"].startswith(OWN)
    assert reply["usage"] == {"duration": 9}
    alone = told(job(replace(task, alone=True), JobState.SUCCEEDED, "transcription-0.json", usage=Usage(second=9)))
    assert alone["output"]["result"]["transcription_url"].startswith(OWN)
    assert alone["usage"] == {"seconds": 9}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (JobState.QUEUED, "PENDING"),
        (JobState.RUNNING, "RUNNING"),
        (JobState.CANCELLED, "CANCELED"),
        (JobState.EXPIRED, "FAILED"),
    ],
)
def test_each_state_is_a_status(state: JobState, status: str) -> None:
    reply = told(job(FILM, state))

    assert reply["output"]["task_status"] == status
    assert "usage" not in reply and "video_url" not in reply["output"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobError("DataInspectionFailed", "no"), "DataInspectionFailed"),
        (JobError("result_lost", "no"), "InternalError"),
        (None, "InternalError.Timeout"),
    ],
)
def test_a_failure_has_a_code_of_the_vendors(error: JobError | None, code: str) -> None:
    output = told(job(FILM, JobState.FAILED, error=error))["output"]

    assert output["code"] == code
    assert output["message"]


def test_a_task_whose_results_are_gone_is_unknown() -> None:
    expected = {"request_id": "req_1", "output": {"task_id": TASK_ID, "task_status": "UNKNOWN"}}

    assert told(job(FILM)) == expected == json.loads(write_unknown(TASK_ID, "req_1"))


def test_a_list_has_rows_of_milliseconds_and_counts_pages() -> None:
    task = Draw(format="dashscope", model="m", task="edit")

    reply = json.loads(write_list([job(task, JobState.FAILED)], "req_1", page=2, size=1, total=3))

    assert (reply["total"], reply["total_page"], reply["page_no"], reply["page_size"]) == (3, 3, 2, 1)
    assert reply["data"] == [
        {
            "gmt_create": AT_S * 1000,
            "model_name": "m",
            "status": "FAILED",
            "task_id": TASK_ID,
            "user_api_unique_key": "apikey:v1:aigc:image2image:image-synthesis:m",
            "start_time": (AT_S + 1) * 1000,
            "end_time": (AT_S + 9) * 1000,
        }
    ]


def test_a_span_is_a_day_at_most() -> None:
    noon = int("20251121200000"), AT_S

    assert read_span(None, None, AT_S) == (AT_S + 1 - 86_400, AT_S + 1)
    assert read_span(str(noon[0]), None, 0) == (AT_S, AT_S + 86_400)
    assert read_span(None, str(noon[0]), 0) == (AT_S - 86_400, AT_S)
    for start, end in [("20251121200000", "20251123200000"), ("20251121200000", "20251121195959"), ("now", None)]:
        with pytest.raises(BadRequest):
            read_span(start, end, AT_S)
    with pytest.raises(BadRequest):
        read_span("20251399000000", None, AT_S)


def test_a_status_stands_for_states() -> None:
    assert read_states("FAILED") == (JobState.FAILED, JobState.EXPIRED)
    assert read_states("UNKNOWN") == ()
    with pytest.raises(BadRequest):
        read_states("DONE")
