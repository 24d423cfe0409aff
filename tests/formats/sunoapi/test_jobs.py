"""Music asked of sunoapi.org: every operation that it has against a strict simulation, and what its records mean."""

from typing import Any

import msgspec
import pytest

from tests.formats.music_desk import CALLBACK, Desk, compose, details, made, origin
from tests.simulators.music_media import notes_of, seconds_of
from tests.simulators.sunoapi_vendor import SunoApiSimulator
from tokengate.core.errors import Unsupported, UpstreamFailed
from tokengate.core.jobs import JobState, Progress
from tokengate.core.music import Compose, MusicAction, Origin
from tokengate.core.wire import Losses
from tokengate.formats.sunoapi.jobs import SUNOAPI_MUSIC


@pytest.fixture
def desk() -> Desk:
    return Desk(SUNOAPI_MUSIC, SunoApiSimulator())


def song(desk: Desk, **more: Any) -> Progress:
    return desk.make(compose("create", prompt="[Verse]\nla", custom=True, tags="pop", title="A song", **more))


def test_a_song_is_asked_for_with_every_parameter_and_our_address(desk: Desk):
    progress = song(
        desk,
        model="chirp-bluejay",
        negative_tags="metal",
        vocal_gender="f",
        style_weight="0.65",
        weirdness="0.5",
        audio_weight="0.1",
    )

    assert desk.vendor.asked == [
        {
            "model": "V4_5PLUS",
            "prompt": "[Verse]\nla",
            "style": "pop",
            "title": "A song",
            "negativeTags": "metal",
            "vocalGender": "f",
            "styleWeight": 0.65,
            "weirdnessConstraint": 0.5,
            "audioWeight": 0.1,
            "customMode": True,
            "instrumental": False,
            "callBackUrl": CALLBACK,
        }
    ]
    first, _ = made(progress).clips
    assert (first.title, first.tags, first.prompt, first.duration_s) == ("A song", "pop", "[Verse]\nla", "198.44")
    assert first.files == {"audio": "clip-1.mp3", "image": "clip-1.jpeg"}
    assert [seconds_of(desk.got(file.url)) for file in progress.files if file.name.endswith("mp3")] == [1, 1]


def test_without_an_address_of_ours_the_vendor_refuses(desk: Desk):
    with pytest.raises(UpstreamFailed):
        desk.make(compose("create", prompt="x"), callback="")


def test_a_clip_is_extended_and_a_section_replaced(desk: Desk):
    clip = origin(song(desk), "create")
    style = {"tags": "pop", "title": "T"}
    made(desk.make(compose("extend", prompt="[Chorus]", origin=clip, continue_at_s="60.5", instrumental=True, **style)))
    assert desk.losses.dropped == ["instrumental"]
    made(desk.make(compose("replace_section", prompt="x", origin=clip, from_s="7", to_s="15.98", **style)))

    extend, replace = desk.vendor.asked[1:]
    assert (extend["audioId"], extend["defaultParamFlag"], extend["continueAt"]) == (clip.clip, True, 60.5)
    assert (replace["taskId"], replace["audioId"], replace["infillStartS"], replace["infillEndS"]) == (
        clip.task,
        clip.clip,
        7,
        15.98,
    )


def test_music_at_an_address_is_extended_and_covered(desk: Desk):
    more = {"prompt": "x", "tags": "rock", "title": "T", "custom": True, "upload_url": "https://a.example/b.mp3"}
    made(desk.make(compose("upload_extend", continue_at_s="60", **more)))
    made(desk.make(compose("upload_cover", **more)))

    assert [one["uploadUrl"] for one in desk.vendor.asked] == ["https://a.example/b.mp3"] * 2


def test_voice_and_music_are_split_and_notes_become_a_file(desk: Desk):
    clip = origin(song(desk), "create")
    two = desk.make(compose("stems", origin=clip, stem="two"))
    many = made(desk.make(compose("stems", origin=clip, stem="all")))
    notes = desk.make(compose("midi", origin=origin(two, "stems")))

    assert [one.title for one in made(two).clips] == ["Vocals", "Instrumental"]
    assert [one.title for one in many.clips] == ["Vocals", "Drums", "Bass"]
    (file,) = notes.files
    assert (file.name, notes_of(file.data)) == ("notes.mid", [[], [36], [44]])
    assert made(notes).files == {"midi": "notes.mid"}
    assert [one["name"] for one in details(notes)["instruments"]] == ["Drums", "Electric Bass (finger)"]


def test_a_film_and_a_sound_file_of_a_clip(desk: Desk):
    clip = origin(song(desk), "create")
    film, sound = desk.make(compose("mp4", origin=clip)), desk.make(compose("wav", origin=clip))

    assert (made(film).files, made(sound).files) == ({"video": "film.mp4"}, {"wav": "sound.wav"})


def test_words_in_time_and_tags_are_answered_at_once(desk: Desk):
    clip = origin(song(desk), "create")
    timing = desk.make(compose("timing", origin=clip))

    word = {"word": "[Verse]\nla ", "success": True, "start_s": 1.36, "end_s": 1.79, "p_align": 0.0}
    assert details(timing) == {
        "aligned_words": [word],
        "waveform_data": [0.0, 1.0, 0.5],
        "hoot_cer": 0.38,
        "is_streamed": False,
    }
    assert made(desk.make(compose("tags", tags="pop"))).tags == "pop with warm synths"
    assert desk.vendor.asked[-1] == {"content": "pop"}


def test_lyrics_come_in_several_versions(desk: Desk):
    lyrics = made(desk.make(compose("lyrics", prompt="the moon"))).lyrics

    assert [(one.title, one.text) for one in lyrics] == [
        ("月光", "[Verse]\nthe moon"),
        ("Moonlight", "[Verse]\nthe moon"),
    ]


CLIP = Origin("clip", "task", "create")


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (compose("cover", origin=CLIP), "clip_id"),
        (compose("concat", origin=CLIP), "clip_id"),
        (compose("beats", origin=CLIP), "clip_id"),
        (compose("midi", origin=CLIP), "clip_id"),
        (compose("wav", origin=Origin("Vocals", "task", "stems")), "clip_id"),
        (compose("create", prompt="x", model="chirp-v3-5"), "model"),
    ],
)
def test_what_it_does_not_have_is_refused_by_name(task: Compose, name: str):
    with pytest.raises(Unsupported) as refused:
        SUNOAPI_MUSIC.submit(task, Losses("them", {}), key="", callback="")

    assert refused.value.param == name


def test_progress_has_percent(desk: Desk):
    task = compose("create", prompt="LATE 3 moon")
    request = SUNOAPI_MUSIC.submit(task, desk.losses, key="", callback=CALLBACK)
    vendor_id = SUNOAPI_MUSIC.read_submitted(desk.asked(request).body, task).vendor_id

    looks = [desk.look(vendor_id, task) for _ in range(3)]

    assert [(one.state, one.percent) for one in looks[:2]] == [(JobState.RUNNING, 40), (JobState.RUNNING, 75)]
    assert looks[2].state is JobState.SUCCEEDED


def record(**more: Any) -> bytes:
    return msgspec.json.encode({"code": 200, "msg": "", "data": {"taskId": "t", **more}})


SONG = {"sunoData": [{"id": "a", "audioUrl": "https://v.example/a.mp3"}, {"id": "b", "audioUrl": ""}]}


@pytest.mark.parametrize(
    ("action", "body", "state"),
    [
        ("create", record(status="PENDING"), JobState.QUEUED),
        ("create", record(status="SENSITIVE_WORD_ERROR", errorMessage="no"), JobState.FAILED),
        ("create", record(status="SUCCESS", response=None), JobState.FAILED),
        ("create", record(status="SUCCESS", response=SONG), JobState.SUCCEEDED),
        ("create", record(status="CALLBACK_EXCEPTION", response=SONG), JobState.SUCCEEDED),
        ("create", record(status="CALLBACK_EXCEPTION", response={"sunoData": None}), JobState.FAILED),
        ("midi", record(successFlag=0), JobState.QUEUED),
        ("midi", record(successFlag=3), JobState.FAILED),
        ("midi", record(successFlag=1, midiData={"instruments": []}), JobState.FAILED),
        ("wav", record(successFlag="GENERATE_WAV_FAILED"), JobState.FAILED),
        ("create", b'{"code":200,"msg":"","data":null}', JobState.EXPIRED),
    ],
)
def test_every_record_says_how_it_stands(action: MusicAction, body: bytes, state: JobState):
    assert SUNOAPI_MUSIC.read_progress(body, compose(action)).state is state


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"\xff",
        b'{"code":500,"msg":"no","data":null}',
        b'{"code":200,"data":{"taskId":1}}',
        record(successFlag=1, midiData={"instruments": [{"notes": [{"pitch": 1, "start": "x", "end": 2}]}]}),
    ],
)
def test_what_is_no_answer_is_the_vendor_s_failure(body: bytes):
    with pytest.raises(UpstreamFailed):
        SUNOAPI_MUSIC.read_progress(body, compose("midi"))
    if b"midiData" not in body:
        with pytest.raises(UpstreamFailed):
            SUNOAPI_MUSIC.read_submitted(body, compose("create"))


def test_a_callback_names_its_task_at_every_stage(desk: Desk):
    song(desk)
    vendor = desk.vendor
    assert isinstance(vendor, SunoApiSimulator)
    (task,) = vendor.tasks.values()

    told = [SUNOAPI_MUSIC.read_callback(msgspec.json.encode(one)) for one in vendor.told(task, "http://a")]

    assert told == [task.id] * 3


def test_a_callback_about_a_failure_names_its_task_too():
    failed = b'{"code":531,"msg":"No.","data":{"callbackType":"error","task_id":"t1","data":null}}'

    assert SUNOAPI_MUSIC.read_callback(failed) == "t1"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code":200}', b'{"code":200,"data":{"task_id":7}}', b"\xff"])
def test_a_callback_that_names_nothing_is_no_more_than_a_call(body: bytes):
    assert SUNOAPI_MUSIC.read_callback(body) == ""


@pytest.mark.parametrize(("action", "calls_back"), [("create", True), ("tags", False), ("timing", False)])
def test_what_is_answered_at_once_is_not_told_of(action: MusicAction, calls_back: bool):
    assert SUNOAPI_MUSIC.calls_back(compose(action)) is calls_back
