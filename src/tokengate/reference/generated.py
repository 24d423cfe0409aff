"""The reference pages that are made of tables: all operations, status codes, input parameters, prices.

Each is Markdown, made anew when it is asked for.
"""

from collections.abc import Iterator

from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.reference.checked import body_fields
from tokengate.reference.errors import statuses
from tokengate.reference.kinds import vendor_title
from tokengate.reference.markdown import table, word
from tokengate.reference.pages import Parameter, shown
from tokengate.reference.prices import model_price
from tokengate.reference.running import PageStatus, Running
from tokengate.reference.schema import indented
from tokengate.reference.table import CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, TABLE, ApiOperation
from tokengate.reference.tree import operation_slug
from tokengate.reference.words import Lang, Text, groups, operation_words

_CHECKED = (CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS)

API_LIST = "api"
STATUS_CODES = "help/status-codes"
PARAMETERS = "help/parameters"
PRICES = "help/prices"

TITLES: dict[str, Text] = {
    API_LIST: Text("API列表", "API list"),
    STATUS_CODES: Text("状态码说明", "Status codes"),
    PARAMETERS: Text("输入参数配置", "Input parameters"),
    PRICES: Text("价格列表", "Price list"),
}


class OperationEntry(Struct, frozen=True):
    """An operation in the list."""

    id: str
    slug: str
    title: str
    summary: str
    method: str
    path: str
    status: PageStatus


class OperationGroup(Struct, frozen=True):
    title: str
    operations: tuple[OperationEntry, ...]


class StatusEntry(Struct, frozen=True):
    """A class of errors on the status-code page; `depth` is its place in the tree."""

    name: str
    depth: int
    status: int
    type: str
    code: str | None
    title: str
    meaning: str
    remedy: str
    example: dict[str, dict[str, str | None]]


class OperationParameters(Struct, frozen=True):
    """The checked parameters of one operation."""

    operation: str
    slug: str
    title: str
    path: str
    parameters: tuple[Parameter, ...]


def operation_groups(running: Running, lang: Lang) -> tuple[OperationGroup, ...]:
    """Return every operation of the table by family."""
    from_table = {operation.id: operation for operation in TABLE}
    return tuple(
        OperationGroup(
            group.group.in_lang(lang),
            tuple(_entry(from_table[words.id], running, lang) for words in group.operation),
        )
        for group in groups()
    )


def status_entries(lang: Lang) -> tuple[StatusEntry, ...]:
    """Return every class of errors, as the tree is drawn."""
    return tuple(
        StatusEntry(
            one.name,
            one.depth,
            one.status,
            one.type,
            one.code,
            one.words.title.in_lang(lang),
            one.words.meaning.in_lang(lang),
            one.words.remedy.in_lang(lang),
            one.example,
        )
        for one in statuses()
    )


def checked_parameters(lang: Lang) -> tuple[OperationParameters, ...]:
    """Return the parameters whose types and ranges the gateway checks."""
    found: list[OperationParameters] = []
    for operation in _CHECKED:
        words = operation_words()[operation.id]
        fields = tuple(shown("body", field, lang) for field in body_fields(operation, words))
        title = words.title.in_lang(lang)
        found.append(OperationParameters(operation.id, operation_slug(operation), title, operation.first_path, fields))
    return tuple(found)


def generated_markdown(slug: str, running: Running, lang: Lang) -> str:
    """Return one of these pages."""
    lines = {
        API_LIST: lambda: _api_list(running, lang),
        STATUS_CODES: lambda: _status_codes(lang),
        PARAMETERS: lambda: _parameters(lang),
        PRICES: lambda: _prices(running, lang),
    }[slug]
    return "\n".join((f"# {TITLES[slug].in_lang(lang)}", "", *lines())).strip() + "\n"


def _entry(operation: ApiOperation, running: Running, lang: Lang) -> OperationEntry:
    words = operation_words()[operation.id]
    return OperationEntry(
        operation.id,
        operation_slug(operation),
        words.title.in_lang(lang),
        words.summary.in_lang(lang),
        operation.method,
        running.bases(operation)[0] + operation.path,
        running.status(operation),
    )


def _api_list(running: Running, lang: Lang) -> Iterator[str]:
    head = Text("接口 | 方法 | 路径 | 状态 | 说明", "Operation | Method | Path | Status | What it does").in_lang(lang)
    for group in operation_groups(running, lang):
        yield from (f"## {group.title}", "", f"| {head} |", "|---|---|---|---|---|")
        for one in group.operations:
            status = word(one.status, lang)
            yield f"| [{one.title}](/docs/{one.slug}) | {one.method} | `{one.path}` | {status} | {one.summary} |"
        yield ""


def _status_codes(lang: Lang) -> Iterator[str]:
    yield Text(
        '出错时回复的正文是 `{"error": {"message", "type", "param", "code"}}`，HTTP 状态码说明出错的种类，'
        "`code` 可供程序判断。",
        'A failed call answers `{"error": {"message", "type", "param", "code"}}`; the HTTP status says what kind of '
        "error it is, and programs can rely on `code`.",
    ).in_lang(lang)
    yield ""
    head = Text("状态码 | code | 含义 | 处理", "Status | code | Meaning | What to do").in_lang(lang)
    yield from (f"| {head} |", "|---|---|---|---|")
    for one in status_entries(lang):
        yield f"| {one.status} | `{one.code}` | {one.title}: {one.meaning} | {one.remedy} |"
    yield ""
    for one in status_entries(lang):
        code = Text("示例", "Example").in_lang(lang)
        yield from (f"## {one.status} {one.title}", "", one.meaning, "", one.remedy, "", f"{code}:", "")
        yield from ("```json", indented(one.example), "```", "")


def _parameters(lang: Lang) -> Iterator[str]:
    yield Text(
        "由于模型架构不同，部分参数可能仅适用于特定的模型。范围是网关检查的范围，超出时返回 400；"
        "各模型可能更窄。null 等同于不填。",
        "Some parameters apply to some models only. Ranges are those that the gateway checks, with a 400 outside; a "
        "model may take less. null is the same as leaving a parameter out.",
    ).in_lang(lang)
    yield ""
    for one in checked_parameters(lang):
        yield from (
            f"## {one.title}",
            "",
            f"[`POST {one.path}`](/docs/{one.slug})",
            "",
            *table(one.parameters, lang),
            "",
        )


def _prices(running: Running, lang: Lang) -> Iterator[str]:
    yield Text(
        "价格以元计，按每 1000 tokens 列出；分档的模型列出短请求的价格，全部档位见模型页。",
        "Prices in yuan per 1,000 tokens. Models with tiers show what a short request costs; all tiers are on the "
        "model's page.",
    ).in_lang(lang)
    yield ""
    head = Text(
        "模型 ID | 名称 | 厂商 | 输入 / 1000 tokens | 输出 / 1000 tokens | 更新日期",
        "Model id | Name | Vendor | Input / 1,000 tokens | Output / 1,000 tokens | Updated",
    ).in_lang(lang)
    yield from (f"| {head} |", "|---|---|---|---:|---:|---|")
    for model in running.catalog.models():
        yield _price_row(model, running, lang)


def _price_row(model: Model, running: Running, lang: Lang) -> str:
    price = model_price(running.catalog, model, lang)
    amounts = (price.input_per_ktok_yuan, price.output_per_ktok_yuan) if price else (None, None)
    shown_amounts = " | ".join(f"¥{amount}" if amount is not None else "–" for amount in amounts)
    vendor = vendor_title(model.vendor, lang)
    return (
        f"| [{model.id}](/models/{model.id}) | {model.name_in(lang)} | {vendor} | {shown_amounts} | {model.updated} |"
    )
