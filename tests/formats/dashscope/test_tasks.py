"""DashScope's tasks: what is asked of the vendor, and what its answers mean."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.simulators.dashscope_task_rules import check_task
from tokengate.core.at_once import AtOnce
from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.images import Draw, Size
from tokengate.core.jobs import JobRequest, JobState, Progress
from tokengate.core.parts import Data, Url
from tokengate.core.recordings import Hear
from tokengate.core.usage import Usage
from tokengate.core.video import Film
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.films import FILM_NAMES, DashScopeFilms, read_film
from tokengate.formats.dashscope.images import EDIT, GENERATION
from tokengate.formats.dashscope.pictures import DashScopePictures, read_pictures
from tokengate.formats.dashscope.recordings import DashScopeRecordings, read_recordings

DOG = "https://img.example/dog.png"
FILMS = DashScopeFilms()
PICTURES = DashScopePictures(at_once=AtOnce({"generation": GENERATION, "edit": EDIT}))
RECORDINGS = DashScopeRecordings()


def losses() -> Losses:
    return Losses("dashscope", {})


def asked(request: JobRequest) -> Any:
    """Return the body of a submission, which the vendor must take."""
    assert isinstance(request.body, bytes)
    body = json.loads(request.body)
    check_task(request.path, body, resolve=False, uploads={})
    assert request.headers == {"x-dashscope-async": "enable"}
    return body


def film(**words: Any) -> Film:
    return Film(format="openai", **words)


def sent(format: Any, task: Any) -> Any:
    return asked(format.submit(task, losses(), key="job_1", callback=""))


def body_of(model: str, input: dict[str, Any], **parameters: Any) -> bytes:
    return json.dumps({"model": model, "input": input, "parameters": parameters}).encode()


def read_drawing(body: bytes) -> Draw:
    return read_pictures(body, "text2image")


def read_change(body: bytes) -> Draw:
    return read_pictures(body, "image2image")


def test_a_film_of_words_has_a_size() -> None:
    body = sent(FILMS, film(model="wan2.5-t2v-preview", prompt="a cat", seconds=10, size=Size(720, 1280), seed=7))

    assert body["input"] == {"prompt": "a cat"}
    assert body["parameters"] == {"size": "720*1280", "duration": 10, "seed": 7}


def test_a_class_becomes_a_size_where_the_model_wants_one() -> None:
    body = sent(FILMS, film(model="wan2.6-t2v", prompt="a cat", resolution="720P"))

    assert body["parameters"] == {"size": "1280*720"}


def test_a_film_of_a_picture_has_a_class_and_the_pictures_shape() -> None:
    lost = losses()
    task = film(model="wan2.5-i2v-preview", prompt="run", first_frame=Url(DOG), size=Size(1280, 720))

    body = asked(FILMS.submit(task, lost, key="", callback=""))

    assert body["input"] == {"prompt": "run", "img_url": DOG}
    assert body["parameters"] == {"resolution": "720P"}
    assert lost.dropped == ["size"]


def test_newer_models_take_media_and_ratios() -> None:
    frames = film(model="wan2.7-i2v", first_frame=Url(DOG), last_frame=Data("image/png", "aa"), audio=Url(DOG))
    words = film(model="wan2.7-t2v", prompt="a cat", size=Size(720, 1280))

    media = sent(FILMS, frames)["input"]["media"]

    assert [one["type"] for one in media] == ["first_frame", "last_frame", "driving_audio"]
    assert media[1]["url"] == "data:image/png;base64,aa"
    assert sent(FILMS, words)["parameters"] == {"resolution": "720P", "ratio": "9:16"}


def test_two_frames_go_to_a_service_of_their_own() -> None:
    task = film(model="wan2.2-kf2v-flash", prompt="run", first_frame=Url(DOG), last_frame=Url(DOG), resolution="480P")

    request = FILMS.submit(task, losses(), key="", callback="")

    assert request.path == "/services/aigc/image2video/video-synthesis"
    assert asked(request)["input"] == {"prompt": "run", "first_frame_url": DOG, "last_frame_url": DOG}


@pytest.mark.parametrize(
    "task",
    [
        film(model="wan2.6-t2v", prompt="a", last_frame=Url(DOG)),
        film(model="wan2.6-t2v", prompt="a", first_frame=Url(DOG)),
        film(model="wan2.6-t2v", prompt="a", remix_of="job_1"),
        film(model="wan2.6-t2v", prompt="a", extra={"style": Raw(b"1")}, essential=frozenset({"style"})),
    ],
)
def test_what_a_model_cannot_make_is_refused_by_name(task: Film) -> None:
    with pytest.raises(Unsupported):
        FILMS.submit(task, losses(), key="", callback="")


@pytest.mark.parametrize(
    ("model", "input", "parameters"),
    [
        ("wan2.2-t2v-plus", {"prompt": "a", "negative_prompt": "b"}, {"size": "832*480", "seed": 1}),
        ("wan2.6-t2v", {"prompt": "a", "audio_url": DOG}, {"size": "1280*720", "duration": 15, "shot_type": "multi"}),
        ("wan2.6-i2v", {"img_url": DOG, "template": "t"}, {"resolution": "720P", "audio": False, "watermark": True}),
        ("wan2.7-i2v", {"media": [{"type": "first_clip", "url": DOG}, {"type": "first_frame", "url": DOG}]}, {}),
        ("wan2.7-t2v", {"prompt": "a"}, {"resolution": "720P", "ratio": "4:3"}),
        ("wan2.2-kf2v-flash", {"first_frame_url": DOG, "template": "t"}, {"resolution": "480P"}),
    ],
)
def test_a_film_asked_for_in_this_format_goes_on_as_it_came(
    model: str, input: dict[str, Any], parameters: dict[str, Any]
) -> None:
    body = sent(FILMS, read_film(body_of(model, input, **parameters)))

    assert (body["input"], body["parameters"]) == (input, parameters)


def test_what_sdks_always_send_is_no_wish() -> None:
    task = read_film(body_of("m", {"prompt": "a", "extend_prompt": True, "function": "video-synthesis"}))

    assert task.extra == {} and task.essential == frozenset()
    assert task.most.usage == Usage(second=10, request=1)


@pytest.mark.parametrize(
    ("model", "input", "parameters", "path"),
    [
        ("wan2.2-t2i-flash", {"prompt": "a", "negative_prompt": "b"}, {"n": 2, "size": "1024*768", "seed": 1}, "text2"),
        ("qwen-image", {"prompt": "a"}, {"n": 1, "prompt_extend": False}, "text2"),
        ("wan2.5-i2i-preview", {"prompt": "a", "images": [DOG, DOG]}, {"n": 1, "watermark": True}, "image2image"),
        ("wanx2.1-imageedit", {"prompt": "a", "function": "expand", "base_image_url": DOG}, {"n": 1}, "image2image"),
    ],
)
def test_pictures_asked_for_in_this_format_go_on_as_they_came(
    model: str, input: dict[str, Any], parameters: dict[str, Any], path: str
) -> None:
    task = read_pictures(body_of(model, input, **parameters), "image2image" if "image2" in path else "text2image")
    request = PICTURES.submit(task, losses(), key="", callback="")

    body = asked(request)

    assert path in request.path
    assert (body["input"], body["parameters"]) == (input, parameters)


def test_pictures_in_messages_keep_them() -> None:
    input = {"messages": [{"role": "user", "content": [{"image": DOG}, {"text": "a hat"}]}]}

    task = read_pictures(body_of("wan2.6-image", input, n=1, size="1280*1280"), "image-generation")

    assert (task.task, task.in_messages) == ("edit", True)
    assert sent(PICTURES, task)["input"] == input


def test_who_does_not_say_how_many_gets_as_many_as_the_vendor_makes() -> None:
    assert read_pictures(body_of("wan2.2-t2i-flash", {"prompt": "a"}), "text2image").n == 4
    assert read_pictures(body_of("qwen-image", {"prompt": "a"}), "text2image").n == 1


def test_another_formats_request_says_how_many() -> None:
    task = Draw(format="openai", model="wan2.2-t2i-flash", task="generation", prompt="a", quality="high", n=1)
    lost = losses()

    body = asked(PICTURES.submit(task, lost, key="", callback=""))

    assert body["parameters"] == {"n": 1}
    assert lost.dropped == ["quality"]


def test_a_model_that_draws_at_once_is_asked_at_once() -> None:
    task = read_pictures(body_of("qwen-image-edit", {"prompt": "a", "images": [DOG]}, watermark=False), "image2image")

    request = PICTURES.submit(task, losses(), key="", callback="")

    assert request.path == "/services/aigc/multimodal-generation/generation"
    assert request.headers == {}
    assert isinstance(request.body, bytes)
    assert json.loads(request.body)["parameters"] == {"n": 1, "watermark": False}
    reply = {"output": {"choices": [{"message": {"content": [{"image": DOG}]}}]}, "usage": {"image_count": 1}}
    submitted = PICTURES.read_submitted(json.dumps(reply).encode(), task)
    assert submitted.progress is not None and submitted.progress.state is JobState.SUCCEEDED
    assert [one.url for one in submitted.progress.files] == [DOG]


def test_a_model_that_draws_only_as_a_task_says_so_to_who_asks_at_once() -> None:
    task = Draw(format="openai", model="wan2.2-t2i-flash", task="generation", prompt="a")

    with pytest.raises(Unsupported, match="only as a task"):
        GENERATION.write(task, losses())


def test_recordings_go_to_the_vendor_as_addresses() -> None:
    several = read_recordings(body_of("paraformer-v2", {"file_urls": [DOG, DOG]}, channel_id=[0, 1]))
    one = read_recordings(body_of("qwen3-asr-flash-filetrans", {"file_url": DOG}, language="zh", enable_itn=True))

    assert sent(RECORDINGS, several)["parameters"] == {"channel_id": [0, 1]}
    assert several.most.usage.second == 4 * 12 * 3600
    assert sent(RECORDINGS, one)["input"] == {"file_url": DOG}
    assert sent(RECORDINGS, one)["parameters"] == {"language": "zh", "enable_itn": True}
    assert one.alone and not several.alone


def test_a_recording_in_storage_is_submitted_so_that_the_vendor_finds_it() -> None:
    task = Hear(format="dashscope", model="paraformer-v2", recordings=(Url("oss://a/file-0.wav"),))

    request = RECORDINGS.submit(task, losses(), key="", callback="")

    assert request.headers == {"x-dashscope-async": "enable", "x-dashscope-ossresourceresolve": "enable"}


def test_an_address_in_storage_that_is_not_the_callers_is_never_asked_for() -> None:
    with pytest.raises(BadRequest, match="X-DashScope-OssResourceResolve") as refused:
        read_recordings(body_of("paraformer-v2", {"file_urls": ["oss://dashscope-instant/another/secret.wav"]}))

    assert refused.value.param == "input.file_urls"


@pytest.mark.parametrize(
    ("read", "body", "param"),
    [
        (read_film, body_of("m", {}), "input.prompt"),
        (read_film, body_of("m", {"prompt": "a"}, duration=0), "parameters.duration"),
        (read_film, body_of("m", {"prompt": "a"}, size="big"), "parameters.size"),
        (read_film, body_of("m", {"prompt": "a"}, seed=2**31), "parameters.seed"),
        (read_drawing, body_of("m", {}), "input.prompt"),
        (read_drawing, body_of("m", {"prompt": "a"}, n=0), "parameters.n"),
        (read_change, body_of("m", {"prompt": "a"}), "input.images"),
        (read_recordings, body_of("m", {}), "input.file_urls"),
        (read_recordings, body_of("m", {"file_urls": [""]}), "input.file_urls"),
        (read_recordings, body_of("m", {"file_urls": [DOG]}, channel_id=[99]), "parameters.channel_id"),
    ],
)
def test_an_unsound_request_is_refused_by_name(read: Any, body: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(body)

    assert refused.value.param == param


def told(output: dict[str, Any], usage: Any = None) -> bytes:
    return json.dumps({"request_id": "1", "output": output, "usage": usage}).encode()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", JobState.QUEUED),
        ("RUNNING", JobState.RUNNING),
        ("SUSPENDED", JobState.RUNNING),
        ("CANCELED", JobState.CANCELLED),
        ("UNKNOWN", JobState.EXPIRED),
        ("FAILED", JobState.FAILED),
    ],
)
def test_each_status_is_a_state(status: str, state: JobState) -> None:
    progress = FILMS.read_progress(told({"task_id": "1", "task_status": status}), film(model="m"))

    assert progress.state is state


def test_a_failure_keeps_its_code() -> None:
    output = {"task_status": "FAILED", "code": "DataInspectionFailed", "message": "no"}

    error = FILMS.read_progress(told(output), film(model="m")).error

    assert error is not None and (error.code, error.message) == ("DataInspectionFailed", "no")


@pytest.mark.parametrize(
    ("usage", "seconds", "resolution"),
    [
        ({"duration": 10, "input_video_duration": 0, "output_video_duration": 10, "SR": 720}, 10, "720P"),
        ({"duration": 9, "input_video_duration": 4, "output_video_duration": 5, "SR": "1080"}, 9, "1080P"),
        ({"video_duration": 5.2, "video_ratio": "832*480"}, 6, "480P"),
        ({"video_duration": 5, "video_ratio": "standard"}, 5, "720P"),
        (None, 7, "720P"),
    ],
)
def test_a_films_seconds_and_class_are_the_vendors(usage: Any, seconds: int, resolution: str) -> None:
    task = film(model="m", seconds=7, resolution="720P")

    progress = FILMS.read_progress(told({"task_status": "SUCCEEDED", "video_url": DOG}, usage), task)

    assert progress.usage is not None
    assert progress.usage.usage == Usage(second=seconds, request=1)
    assert progress.usage.resolution == resolution
    assert [(one.name, one.url) for one in progress.files] == [("video.mp4", DOG)]


def test_only_delivered_pictures_are_paid_for() -> None:
    results = [{"code": "InternalError.Timeout", "message": "late"}, {"url": DOG, "actual_prompt": "a cat, in oil"}]

    progress = PICTURES.read_progress(
        told({"task_status": "SUCCEEDED", "results": results}, {"image_count": 1}),
        Draw(format="dashscope", model="wan2.2-t2i-flash", task="generation", n=2, size=Size(1024, 768)),
    )

    assert progress.usage is not None
    assert (progress.usage.usage.image, progress.usage.size) == (1, "1024x768")
    assert json.loads(progress.told) == {
        "pictures": [{"code": "InternalError.Timeout", "message": "late"}, {"revised_prompt": "a cat, in oil"}]
    }


NOTHING: list[tuple[Any, Any, dict[str, Any]]] = [
    (FILMS, film(model="m"), {"task_status": "SUCCEEDED"}),
    (PICTURES, Draw(format="a", model="wan", task="generation"), {"task_status": "SUCCEEDED", "results": []}),
    (RECORDINGS, Hear(format="a", model="m", recordings=()), {"task_status": "SUCCEEDED", "results": [{}]}),
]


@pytest.mark.parametrize(("format", "task", "output"), NOTHING)
def test_a_success_without_a_result_costs_nothing(format: Any, task: Any, output: dict[str, Any]) -> None:
    progress: Progress = format.read_progress(told(output), task)

    assert progress.state is JobState.FAILED and progress.usage is None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"code": "InternalError", "message": "no"}', told({}), told({"task_status": "NEW"}), b"null"],
)
def test_what_is_no_answer_is_the_upstreams_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        FILMS.read_progress(body, film(model="m"))
    with pytest.raises(UpstreamFailed):
        FILMS.read_submitted(body, film(model="m"))


def test_recordings_results_are_files_and_their_failures_are_told() -> None:
    results = [
        {"file_url": DOG, "transcription_url": "https://r.example/1", "subtask_status": "SUCCEEDED"},
        {"file_url": DOG, "code": "InvalidFile.DownloadFailed", "message": "gone", "subtask_status": "FAILED"},
    ]
    task = Hear(format="dashscope", model="paraformer-v2", recordings=(Url(DOG), Url(DOG)))

    progress = RECORDINGS.read_progress(told({"task_status": "SUCCEEDED", "results": results}, {"duration": 9}), task)

    assert progress.usage is not None and progress.usage.usage.second == 9
    assert [one.name for one in progress.files] == ["transcription-0.json"]
    assert json.loads(progress.told)["recordings"] == [{}, {"code": "InvalidFile.DownloadFailed", "message": "gone"}]


def test_ids_of_the_vendor_cannot_leave_their_place() -> None:
    assert FILMS.look("../x", None).path == "/tasks/..%2Fx"
    cancel = DashScopeFilms(base="/api/v1").cancel("1")
    assert cancel is not None and (cancel.method, cancel.path) == ("POST", "/api/v1/tasks/1/cancel")


def test_what_a_vendor_cannot_say_is_named_as_the_caller_wrote_it() -> None:
    values: dict[str, Any] = {
        "input.audio_url": "https://a.example/a.mp3",
        "input.img_url": "https://a.example/a.png",
        "input.last_frame_url": "https://a.example/b.png",
        "input.negative_prompt": "dogs",
        "parameters.audio": True,
        "parameters.prompt_extend": False,
        "parameters.seed": 7,
        "parameters.size": "1280*720",
        "parameters.watermark": True,
    }
    body: dict[str, Any] = {"model": "wan2.5-i2v-preview", "input": {}, "parameters": {}}
    for name, value in values.items():
        where, _, member = name.partition(".")
        body[where][member] = value

    film = read_film(json.dumps(body).encode())

    assert set(FILM_NAMES.values()) == values.keys()
    assert all(getattr(film, word) is not None for word in FILM_NAMES) and not film.extra
