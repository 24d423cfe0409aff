"""The Markdown twin of an endpoint's page: the same facts, for people who copy and for language models that read."""

from collections.abc import Iterable, Iterator

from tokengate.reference.pages import Answer, Page, Parameter
from tokengate.reference.words import Lang, Text

_WORDS = {
    "released": Text("已上线", "Released"),
    "developing": Text("开发中", "In development"),
    "auth": Text("鉴权", "Authorization"),
    "header": Text("Header 参数", "Header parameters"),
    "path": Text("路径参数", "Path parameters"),
    "query": Text("Query 参数", "Query parameters"),
    "body": Text("Body 参数", "Body parameters"),
    "request": Text("请求示例", "Request example"),
    "responses": Text("返回响应", "Responses"),
    "reply": Text("返回参数", "Members of the reply"),
    "columns": Text(
        "参数 | 类型 | 必填 | 范围 | 默认 | 说明", "Parameter | Type | Required | Range | Default | Meaning"
    ),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "ways": Text("同一调用的其他格式", "The same call in other formats"),
    "base": Text("接口地址", "Base URLs"),
    "remedy": Text("处理", "What to do"),
}


def word(name: str, lang: Lang) -> str:
    """Return one of the words of the twins."""
    return _WORDS[name].in_lang(lang)


def endpoint_markdown(page: Page) -> str:
    """Return the twin of an endpoint's page."""
    return "\n".join(_lines(page)).strip() + "\n"


def table(parameters: Iterable[Parameter], lang: Lang) -> Iterator[str]:
    """Yield the lines of a table of parameters, children under their parents."""
    yield f"| {word('columns', lang)} |"
    yield "|---|---|---|---|---|---|"
    for name, parameter in _flat(parameters, ""):
        values = ", ".join(parameter.enum) or parameter.range
        required = word("yes" if parameter.required else "no", lang)
        cells = (f"`{name}`", parameter.type, required, values, parameter.default, parameter.meaning)
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _lines(page: Page) -> Iterator[str]:
    lang = page.lang
    assert page.status is not None
    yield from (f"# {page.title}", "", f"`{page.method}` `{page.path}` · {word(page.status, lang)}", "")
    for text in (page.summary, page.description):
        if text:
            yield from (text, "")
    yield from (f"{word('base', lang)}: {', '.join(page.base_urls)}", "")
    beside = [f"[{way.title}](/docs/{way.slug})" for way in page.ways if way.operation != page.operation]
    if beside:
        yield from (f"{word('ways', lang)}: {', '.join(beside)}", "")
    if page.auth is not None:
        yield from (f"## {word('auth', lang)}", "", f"`{page.auth.header}: {page.auth.example}`", "")
    for place in ("header", "path", "query", "body"):
        found = [parameter for parameter in page.parameters if parameter.place == place]
        if found:
            note = f" ({page.content_type})" if place == "body" else ""
            yield from (f"## {word(place, lang)}{note}", "", *table(found, lang), "")
    for example in page.request_examples:
        yield from (f"## {word('request', lang)}: {example.title}", "", *_block("json", example.body), "")
    yield from (f"## {word('responses', lang)}", "")
    for answer in page.responses:
        yield from _answer(answer, lang)


def _answer(answer: Answer, lang: Lang) -> Iterator[str]:
    yield from (f"### {answer.status} {answer.title} ({answer.content_type})", "")
    if answer.meaning:
        yield from (answer.meaning, "")
    if answer.remedy:
        yield from (f"{word('remedy', lang)}: {answer.remedy}", "")
    if answer.fields:
        yield from (*table(answer.fields, lang), "")
    yield from (*_block("json" if answer.content_type == "application/json" else "text", answer.example), "")


def _block(language: str, text: str) -> tuple[str, str, str]:
    return f"```{language}", text, "```"


def _flat(parameters: Iterable[Parameter], head: str) -> Iterator[tuple[str, Parameter]]:
    for parameter in parameters:
        name = head + parameter.name
        yield name, parameter
        yield from _flat(parameter.children, f"{name}[]." if "array" in parameter.type else f"{name}.")
