"""vLLM, on the operator's own machines."""

from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.images import ImageFormats
from tokengate.formats.openai.dialect import SGLANG
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.images import OpenAIImages
from tokengate.formats.openai.rerank import OpenAIRerank
from tokengate.formats.openai.speech import OpenAISpeech
from tokengate.formats.openai.transcription import OpenAITranscription
from tokengate.formats.openai.video_jobs import OpenAIVideos
from tokengate.providers.compatible import OpenAICompatible

# vllm/entrypoints/openai/chat_completion/protocol.py, 2026-11. It accepts what it does not know, and leaves it out.
_LACKS = SGLANG | frozenset(
    {
        "top_a",
        "service_tier",
        "metadata",
        "verbosity",
        "translation",
        "high_resolution_images",
        "pixels",
    }
)
_CHAT = OpenAIChat(
    lacks=_LACKS | {"image_out", "canvas"},
    media=frozenset({"image", "audio", "video"}),
    system_first=True,  # the chat templates of Qwen3.5 and others fail on instructions that come later
    reasoning="template",
    search=None,
    partial="continue_final_message",
    cache_marks=False,
    tool_signatures=False,
)

# vLLM-Omni's models that draw: entrypoints/openai/serving_chat.py of 0.22, 2026-11. They make one picture, at the size
# that is asked for, and fetch nothing. Sampling (num_inference_steps, guidance_scale, …) is the caller's.
_DRAWING = OpenAIChat(
    lacks=_LACKS | {"n", "json", "json_schema", "logprobs", "audio_out", "image_config"},
    media=frozenset({"image"}),
    inline_media=frozenset({"image"}),
    draws=True,
    reasoning="template",
    search=None,
    cache_marks=False,
    tool_signatures=False,
)

_STREAMED = frozenset({"wav", "pcm"})

# vllm/entrypoints/pooling/score/protocol.py, 2026-11. It returns every document with its score.
_RERANK = OpenAIRerank(lacks=frozenset({"return_documents", "instruct", "max_tokens_per_doc", "objects"}))

# vLLM-Omni, which serves speech: entrypoints/openai/protocol/audio.py and docs/serving/speech_api.md, 2026-11. It makes
# WAV unless told otherwise, streams only WAV and PCM at speed 1, and counts tokens of text and of sound.
_SPEECH = OpenAISpeech(
    formats=_STREAMED | frozenset({"flac", "mp3", "opus"}),
    default_format="wav",
    streams=_STREAMED,
    streams_speed=False,
    counts=True,
    usage_header="x-vllm-omni-",
)

# Its own parameters, such as sampling, hotwords and vad_config.*, are the caller's. It tells the times of segments
# alone, writes a duration as a text, and streams in chunks of its own. It takes as large a file as its operator says.
# vllm/entrypoints/openai/speech_to_text/protocol.py, 2026-11.
_TRANSCRIPTION = OpenAITranscription(
    granularities=frozenset({"segment"}),
    lacks=frozenset(
        {
            "include[]",
            "chunking_strategy",
            "keywords",
            "languages",
            "known_speaker_names",
            "known_speaker_references",
        }
    ),
    stream_usage="stream_include_usage",
    rewrites=frozenset({"verbose_json"}),
    has_events=False,
)

# vLLM-Omni's image routes: vllm_omni/entrypoints/openai/protocol/images.py, 2026-11. A server has one model, its
# pictures come as base64, and sampling (num_inference_steps, guidance_scale, …) is the caller's.
_IMAGES_LACK = frozenset({"url", "quality", "background", "moderation", "fidelity", "style", "partial_images", "mask"})

# vLLM-Omni's video routes: docs/serving/videos_api.md and entrypoints/openai/protocol/videos.py, 2026-11. A server has
# one model, and says of a film what was asked for. Adapters and paths on its disk are the operator's.
_VIDEOS = OpenAIVideos(
    lacks=frozenset({"extends_prompt", "watermark"}),
    takes=frozenset(
        {
            "num_frames",
            "fps",
            "num_inference_steps",
            "guidance_scale",
            "guidance_scale_2",
            "boundary_ratio",
            "flow_shift",
            "true_cfg_scale",
            "sound_duration",
            "enable_frame_interpolation",
            "frame_interpolation_exp",
            "frame_interpolation_scale",
            "user",
        }
    ),
    inlines=True,
    tells_length=False,
    deletes_running=True,
)

_IMAGES: Final[ImageFormats] = {
    "generation": OpenAIImages(task="generation", lacks=_IMAGES_LACK | {"compression"}),
    "edit": OpenAIImages(task="edit", lacks=_IMAGES_LACK),
}

PROVIDER = OpenAICompatible(
    name="vllm",
    title="vLLM",
    spoken=(_CHAT,),
    twins=True,  # it says `reasoning`, and most clients look for `reasoning_content`
    rerank=_RERANK,
    speech=_SPEECH,
    jobs={"image": AtOnce(_IMAGES), "video": _VIDEOS},
    images=_IMAGES,
    drawn=(_DRAWING,),
    transcription=_TRANSCRIPTION,
)
