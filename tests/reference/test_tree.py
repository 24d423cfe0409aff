"""The tree is that of the product pages, and shows what the running gateway can do."""

from tests.reference.shelf import SERVED, running
from tokengate.catalog.load import load_models
from tokengate.core.settings import ModelSettings, Settings
from tokengate.reference.table import SPEECH, TABLE
from tokengate.reference.tree import Node, flatten, tree

PRODUCT_PAGE = """\
帮助中心
  AI开放平台首页
万物大模型-公共AI应用接口
  万物大模型AI应用接口文档
  小微同学
    chat
万物大模型-TokenGate
  API接口使用教程
  外部大模型
    国外模型
      OpenAI
        gpt-5(对话)
        gpt-5-pro(对话)
        gpt-5-chat-latest(对话)
        gpt-5-nano(对话)
        gpt-5-mini(对话)
        gpt-5.2(对话)
        gpt-5.2-search(对话)
        gpt-5.3-codex(对话)
        gpt-5.4(对话)
        gpt-5.4-pro(对话)
        whisper-1(语音转文字)
        tts-1-hd(文字生语音)
        text-embedding-ada-002(向量)
        text-embedding-3-small(向量)
        text-embedding-3-large(向量)
        gpt-image-2(图片)
      Anthropic
        claude-opus-4-7(对话)
        claude-opus-4-6(对话)
        claude-sonnet-4-6(对话)
        claude-sonnet-4.5(对话)
        claude-opus-4.5(对话)
        claude-haiku-4.5(对话)
      X AI
        grok-4-1-fast-non-reasoning(对话)
        grok-4-1-fast-reasoning(对话)
        grok-code-fast-1(对话)
      Google
        gemini-3-flash-preview(对话)
        gemini-3.1-pro-preview(对话)
        gemini-2.5-flash-image(生图)
        gemini-3-pro-image-preview(生图)
        gemini-3.1-flash-image-preview(生图)
    国内模型
      DeepSeek
        deepseek-v4-flash
        deepseek-v4-pro
      GLM
        glm-5.1
        glm-4.7
      QianWen
        qwen3.6-max-preview
        qwen3.5-plus
        qwen3.5-flash
        qwen3.6-flash
        qwen3.6-plus
  内部大模型
    国内大模型
      qianwen
        Qwen3-VL-8B-Instruct
        qwen-image-edit(图片编辑)
        qwen-image(文生图)
        Qwen3-TTS-12Hz-1.7B-CustomVoice 语音生成
        wan-t2v 文生视频
        wan-i2v 图生视频
      deepseek
        deepseek3.2
      minimax
        minimax2.7
        minimax2.5
suno 即将上线,敬请期待
  suno
    sunoV2
      音乐查询
      创建音乐
      扩展音乐
      翻唱音乐
      上传并扩展音乐
      上传并翻唱音乐
      修改音乐片段
      音乐片段合并
      生成人声和伴奏
      获取音轨(MDMI)
      获取歌词
      获取MP4
      获取WAV
      获取歌词/音频时间线
      获取节拍
      获取tags
"""


def drawn(nodes: tuple[Node, ...], depth: int = 0) -> str:
    return "".join(f"{'  ' * depth}{node.title}\n{drawn(node.children, depth + 1)}" for node in nodes)


def statuses(*offered: str, served: object = SERVED) -> dict[str | None, str | None]:
    nodes = tree(running(*offered, served=served), "zh")  # type: ignore[arg-type]
    return {node.slug: node.status for node, _ in flatten(nodes)}


def test_the_tree_is_that_of_the_product_pages():
    assert drawn(tree(running(), "zh")) == PRODUCT_PAGE


def test_the_english_tree_has_the_same_shape_and_pages():
    zh, en = tree(running(), "zh"), tree(running(), "en")

    assert [node.slug for node, _ in flatten(zh)] == [node.slug for node, _ in flatten(en)]
    assert "gpt-5 (chat)" in drawn(en) and "对话" not in drawn(en) and "模型" not in drawn(en)


def test_a_page_is_released_when_its_route_and_a_backend_with_a_price_are_there():
    nothing, offered = statuses(), statuses("gpt-5", "whisper-1", "xiaowei")

    assert nothing["chat.completions/gpt-5"] == "developing"
    assert offered["chat.completions/gpt-5"] == "released"
    assert nothing["audio.transcriptions/whisper-1"] == "developing"
    assert offered["chat.completions/xiaowei"] == "developing"  # no price


def test_a_model_of_speech_is_released_with_its_route():
    assert statuses("tts-1-hd")["audio.speech/tts-1-hd"] == "developing"
    assert statuses("tts-1-hd", served=[SPEECH])["audio.speech/tts-1-hd"] == "released"
    assert statuses(served=[SPEECH])["audio.speech/tts-1-hd"] == "developing"  # no backend


def test_an_operation_that_comes_to_be_served_is_released_by_itself():
    suno = [operation for operation in TABLE if operation.id.startswith("suno.")]

    assert set(statuses(served=suno)[f"api/{one.id}"] for one in suno) == {"released"}
    assert drawn(tree(running(served=suno), "zh")).splitlines()[-19] == "suno"


def test_a_model_that_an_operator_adds_is_in_its_vendor_s_folder_or_a_new_one():
    own = [ModelSettings(id="ours-1", vendor="ourselves"), ModelSettings(id="q-9", vendor="qwen", region="国内")]
    lines = drawn(tree(running(catalog=load_models(Settings(model=own))), "zh")).splitlines()

    assert lines[lines.index("      ourselves") + 1] == "        ours-1"
    assert lines[lines.index("        qwen3.6-plus") + 1] == "        q-9"
