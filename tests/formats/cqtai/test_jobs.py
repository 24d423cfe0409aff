"""Music asked of CQTAI: every operation against a strict simulation of it, and what its answers mean."""

from typing import Any

import msgspec
import pytest

from tests.formats.music_desk import Desk, compose, details, made, origin
from tests.simulators.cqtai_vendor import DOWNBEATS, STEMS, CqtaiSimulator
from tests.simulators.music_media import notes_of, seconds_of
from tokengate.core.errors import Unsupported, UpstreamFailed
from tokengate.core.jobs import JobState, Progress
from tokengate.core.music import Compose, Lyrics, MusicAction
from tokengate.core.wire import Losses
from tokengate.formats.cqtai.jobs import CQTAI_MUSIC


@pytest.fixture
def desk() -> Desk:
    return Desk(CQTAI_MUSIC, CqtaiSimulator())


def song(desk: Desk, **more: Any) -> Progress:
    return desk.make(compose("create", prompt="[Verse]\nla", custom=True, tags="pop", title="A song", **more))


def test_a_song_is_asked_for_with_every_parameter(desk: Desk):
    progress = song(
        desk,
        model="chirp-auk",
        negative_tags="metal",
        vocal_gender="f",
        style_weight="0.65",
        weirdness="0.5",
        audio_weight="1",
        instrumental=False,
    )

    assert desk.vendor.asked == [
        {
            "task": "create",
            "model": "v45",
            "customMode": True,
            "makeInstrumental": False,
            "prompt": "[Verse]\nla",
            "tags": "pop",
            "negativeTags": "metal",
            "title": "A song",
            "vocalGender": "f",
            "styleWeight": 0.65,
            "weirdnessConstraint": 0.5,
            "audioWeight": 1,
        }
    ]
    first, second = made(progress).clips
    assert (first.title, first.tags, first.version, first.duration_s) == ("A song", "pop", "v5", "91.32")
    assert first.files == {
        "audio": "clip-1.mp3",
        "video": "clip-1.mp4",
        "image": "clip-1.jpeg",
        "image_large": "clip-1-large.jpeg",
    }
    assert second.files["audio"] == "clip-2.mp3"
    files = {file.name: file for file in progress.files}
    assert not files["clip-1.mp3"].optional and files["clip-1.jpeg"].optional
    assert seconds_of(desk.got(files["clip-1.mp3"].url)) == seconds_of(desk.got(files["clip-1.mp4"].url)) == 1
    assert desk.losses.dropped == []


@pytest.mark.parametrize(
    ("model", "theirs"),
    [("sunoV2", "v50"), ("chirp-crow", "v50"), ("chirp-bluejay", "v45+"), ("chirp-v4", "v40"), ("v55", "v55")],
)
def test_versions_have_the_vendor_s_names(desk: Desk, model: str, theirs: str):
    song(desk, model=model)

    assert desk.vendor.asked[0]["model"] == theirs


def test_a_wish_in_words_and_music_without_words(desk: Desk):
    made(desk.make(compose("create", prompt="a song about the moon")))
    made(desk.make(compose("create", custom=True, instrumental=True, tags="jazz", title="J")))

    assert [(one["customMode"], one["makeInstrumental"]) for one in desk.vendor.asked] == [(False, False), (True, True)]


def test_a_clip_is_extended_covered_and_changed(desk: Desk):
    clip = origin(song(desk), "create")
    made(desk.make(compose("extend", prompt="[Chorus]", custom=True, origin=clip, continue_at_s="60", tags="pop")))
    made(desk.make(compose("cover", custom=True, origin=clip, tags="jazz")))
    changed = desk.make(
        compose("replace_section", prompt="[Bridge]", origin=clip, from_s="7.56", to_s="15.98", tags="a", title="b")
    )
    section = origin(changed, "replace_section", part_of=clip.clip)
    joined = desk.make(compose("concat", origin=section))

    extend, cover, replace, merge = desk.vendor.asked[1:]
    assert (extend["clipId"], extend["continueAt"], cover["clipId"]) == (clip.clip, 60, clip.clip)
    assert replace == {
        "task": "replace_section",
        "taskId": clip.task,
        "clipId": clip.clip,
        "tags": "a",
        "title": "b",
        "infillLyrics": "[Bridge]",
        "rangeStartS": 7.56,
        "rangeEndS": 15.98,
    }
    assert merge == {"task": "replace_merge", "clipId": clip.clip, "editSessionId": section.clip}
    assert len(made(joined).clips) == 1


def test_music_at_an_address_is_extended_and_covered(desk: Desk):
    address = "https://files.example.com/mine.mp3"
    made(desk.make(compose("upload_extend", prompt="x", custom=True, upload_url=address, continue_at_s="60")))
    made(desk.make(compose("upload_cover", custom=True, tags="rock", upload_url=address, vocal_gender="m")))

    assert [one["audioUrl"] for one in desk.vendor.asked] == [address, address]


def test_voice_and_music_are_split_into_two_or_many_with_their_notes(desk: Desk):
    clip = origin(song(desk), "create")

    two = made(desk.make(compose("stems", origin=clip, stem="two")))
    many = made(desk.make(compose("stems", origin=clip, stem="all")))
    progress = desk.make(compose("midi", origin=clip))

    assert [one.title for one in two.clips] == ["(Vocals)", "(Instrumental)"]
    assert len(many.clips) == len(STEMS)
    notes = {file.name: file for file in progress.files}["clip-1.mid"]
    assert made(progress).clips[0].files["midi"] == "clip-1.mid" and notes.optional
    assert notes_of(desk.got(notes.url)) == [[60, 64, 67]]


def test_instruments_without_notes_are_instruments_all_the_same():
    vendor = CqtaiSimulator()
    vendor.midi = False
    desk = Desk(CQTAI_MUSIC, vendor)

    done = made(desk.make(compose("midi", origin=origin(song(desk), "create"))))

    assert [sorted(one.files) for one in done.clips] == [["audio", "image", "image_large"]] * len(STEMS)


def test_a_film_a_sound_file_words_in_time_and_beats_of_a_clip(desk: Desk):
    clip = origin(song(desk), "create")
    film, sound = desk.make(compose("mp4", origin=clip)), desk.make(compose("wav", origin=clip))

    assert (made(film).files, made(sound).files) == ({"video": "film.mp4"}, {"wav": "sound.wav"})
    assert [(file.name, file.optional, seconds_of(desk.got(file.url))) for file in (*film.files, *sound.files)] == [
        ("film.mp4", False, 1),
        ("sound.wav", False, 1),
    ]
    assert details(desk.make(compose("timing", origin=clip)))["aligned_words"][0]["end_s"] == 9.33511
    assert details(desk.make(compose("beats", origin=clip))) == {"downbeats": DOWNBEATS}


def test_lyrics_and_tags_are_words(desk: Desk):
    lyrics = made(desk.make(compose("lyrics", prompt="the moon"))).lyrics
    tags = made(desk.make(compose("tags", tags="pop"))).tags

    assert lyrics == (Lyrics("[Verse]\nthe moon", "月光", ("acoustic pop", "warm")),)
    assert tags == "pop with warm synths"
    assert desk.vendor.asked[1] == {"task": "upsample_tags", "prompt": "pop"}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (compose("create", prompt="x", model="chirp-v3-5"), "model"),
        (compose("extend", prompt="x", continue_at_s="60.5"), "continue_at_s"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(task: Compose, name: str):
    with pytest.raises(Unsupported) as refused:
        CQTAI_MUSIC.submit(task, Losses("them", {}), key="", callback="")

    assert refused.value.param == name


def test_only_a_replaced_section_is_joined(desk: Desk):
    clip = origin(song(desk), "extend")

    with pytest.raises(Unsupported, match="clip_id"):
        desk.make(compose("concat", origin=clip))


def test_what_changes_little_is_dropped_by_name(desk: Desk):
    clip = origin(song(desk), "create")
    foo = {"foo": msgspec.Raw(b"1")}
    desk.make(compose("extend", prompt="x", origin=clip, continue_at_s="6", vocal_gender="f", extra=foo))

    assert desk.losses.dropped == ["foo", "vocal_gender"]
    desk.make(compose("upload_cover", prompt="x", upload_url="https://a.example/b.mp3", negative_tags="metal"))
    assert desk.losses.dropped == ["negative_tags"]


def test_progress_is_told_until_the_end(desk: Desk):
    task = compose("create", prompt="LATE 3 moon")
    request = CQTAI_MUSIC.submit(task, desk.losses, key="", callback="")
    vendor_id = CQTAI_MUSIC.read_submitted(desk.asked(request).body, task).vendor_id

    desk.vendor.hold()
    states = [desk.look(vendor_id, task).state]
    desk.vendor.let_go()
    states += [desk.look(vendor_id, task).state for _ in range(3)]

    assert states == [JobState.QUEUED, JobState.RUNNING, JobState.RUNNING, JobState.SUCCEEDED]


def test_a_failure_is_in_the_vendor_s_words_and_a_forgotten_task_is_expired(desk: Desk):
    failed = desk.make(compose("create", prompt="FAIL sensitive words"))
    assert failed.state is JobState.FAILED and failed.error and failed.error.message == "sensitive words"
    assert desk.make(compose("create", prompt="FORGET LATE 5")).state is JobState.EXPIRED


RESULTS: list[tuple[MusicAction, bytes]] = [
    ("create", b"[]"),
    ("create", b'[{"id":"a","status":"error","metadata":{"error_message":"no"}}]'),
    ("lyrics", b"null"),
    ("tags", b"{}"),
    ("mp4", b'{"video_url":"javascript:alert(1)"}'),
    ("wav", b"3"),
]


@pytest.mark.parametrize(("action", "result"), RESULTS)
def test_a_success_without_a_result_is_a_failure(action: MusicAction, result: bytes):
    body = b'{"code":200,"msg":"","data":{"id":"t","status":"succeeded","result":%s}}' % result

    assert CQTAI_MUSIC.read_progress(body, compose(action)).state is JobState.FAILED


@pytest.mark.parametrize(
    ("action", "result", "files"),
    [
        ("mp4", b'"https://v.example/a.mp4"', ["film.mp4"]),
        ("mp4", b'[{"mp4_url":"https://v.example/a.mp4"}]', ["film.mp4"]),
        ("wav", b'{"wav_url":"https://v.example/a.wav"}', ["sound.wav"]),
    ],
)
def test_addresses_are_found_under_their_usual_names(action: MusicAction, result: bytes, files: list[str]):
    body = b'{"code":200,"msg":"","data":{"id":"t","status":"complete","result":%s}}' % result

    assert [file.name for file in CQTAI_MUSIC.read_progress(body, compose(action)).files] == files


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"<html>", b"\xff", b'{"code":500,"msg":"no"}', b'{"code":200,"data":{"id":1}}', b"[" * 9000],
)
def test_what_is_no_answer_is_the_vendor_s_failure(body: bytes):
    for read in (CQTAI_MUSIC.read_submitted, CQTAI_MUSIC.read_progress):
        with pytest.raises(UpstreamFailed):
            read(body, compose("create"))


def test_ids_of_the_vendor_s_are_data_in_an_address():
    assert CQTAI_MUSIC.look("a&b=/../c", compose("create")).path == "/api/cqt/info/suno?id=a%26b%3D%2F..%2Fc"
    assert CQTAI_MUSIC.cancel("a") is None
