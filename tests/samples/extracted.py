"""Requests read out of the source of samples whose languages have no toolchain here.

Each language has the statements that its samples consist of. A sample is read from its first to its last character:
what no statement fits is an error, so that nothing can be in a sample that the test does not know.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.forms import BOUNDARY, FORM_TYPE, form_of
from tests.samples.portal import FILES, KEY_VARIABLE, Request

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_JSON_TYPE = "application/json"


class Unreadable(AssertionError):
    """A sample has something that its reader does not know."""


class _Statement(NamedTuple):
    """What a pattern that fits means: its groups go by these names to the request. None: nothing for the request."""

    pattern: re.Pattern[str]
    means: tuple[str, ...] = ()


class _Language(NamedTuple):
    """`text` reads a literal or expression with the key at hand; `body` reads the literal of a whole body."""

    statements: tuple[_Statement, ...]
    text: Callable[[str, str], str]
    body: Callable[[str], str]
    json_type: str = ""  # what the library itself sends as the type of a JSON body
    direct: bool = False  # the body is written where it is sent, and is not a variable that is sent later
    piece: Callable[[str], str] = lambda literal: _plain(literal)  # reads a literal of which a form is put together


def read_request(variant: str, code: str, key: str) -> Request:
    """Return the request that a sample builds with the key in its environment. Raises Unreadable."""
    if variant == "http.http1.1":
        return _read_http(code, key)
    language = _LANGUAGES[variant]
    found: dict[str, str] = {"base": ""}
    headers: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    form = bytearray()
    for statement, groups in _walk(language.statements, code):
        given = {name: text for name, text in zip(statement.means, groups, strict=True) if text is not None}
        if "field" in given:
            file, value = given.get("file"), given.get("value", '""')
            fields.append((_text(given["field"]), f"@{_text(file)}" if file else _text(value)))
            found["sends"] = given.get("sends", found.get("sends", ""))
        elif "piece" in given or "data" in given:
            form += language.piece(given["piece"]).encode() if "piece" in given else b""
            form += FILES[_text(given["data"])] if "data" in given else b""
            form += language.piece(given["after"]).encode() if "after" in given else b""
        elif "header" in given:
            headers[language.text(given["header"], key)] = language.text(given["value"], key)
        elif "body" in given:
            assert "body" not in found, "two bodies"
            found["body"] = language.body(given["body"])
        else:
            for name, text in given.items():
                found[name] = language.text(text, key) if '"' in text else text
    made = bytes(form) or (form_of(fields, FILES) if fields else None)
    if not language.direct and ("body" in found or made is not None) != bool(found.get("sends")):
        raise Unreadable("a body that is not sent, or is not there")
    body = found["body"].encode() if "body" in found else made
    if made is not None:
        headers["Content-Type"] = f"{FORM_TYPE}; boundary={BOUNDARY}"
    elif body is not None and language.json_type:
        headers["Content-Type"] = language.json_type
    return Request(found["method"].strip("`").upper(), found["base"] + found["url"], headers, body)


def _walk(statements: tuple[_Statement, ...], code: str) -> Iterator[tuple[_Statement, tuple[str | None, ...]]]:
    at = 0
    while at < len(code):
        for statement in statements:
            match = statement.pattern.match(code, at)
            if match:
                yield statement, match.groups()
                at = match.end()
                break
        else:
            raise Unreadable(f"no statement fits: {code[at : at + 120]!r}")


def _read_http(code: str, key: str) -> Request:
    """Return the request of a message as it is on the wire."""
    head, _, body = code.partition("\n\n")
    first, *lines = head.strip().split("\n")
    method, path, version = first.split(" ")
    assert version == "HTTP/1.1"
    headers = dict(line.replace(f"${KEY_VARIABLE}", key).split(": ", 1) for line in lines)
    if headers.get("Content-Type", "").startswith(FORM_TYPE):
        lines = [FILES[line[2:]] if line.startswith("< ") else line.encode() for line in body.rstrip("\n").split("\n")]
        return Request(method, f"http://{headers.pop('Host')}{path}", headers, b"\r\n".join(lines) + b"\r\n")
    data = body.removesuffix("\n").encode() or None
    assert int(headers.pop("Content-Length", "0")) == len(data or b"")
    return Request(method, f"http://{headers.pop('Host')}{path}", headers, data)


def _plain(literal: str, *, more: str = "") -> str:
    """Return the text of a literal in double quotes; `more` are characters that need a backslash in the language."""
    assert literal[0] == literal[-1] == '"', literal
    escapes = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'} | {one: one for one in more}

    def read(match: re.Match[str]) -> str:
        if match[1] not in escapes:
            raise Unreadable(f"the escape {match[0]} of {literal}")
        return escapes[match[1]]

    return re.sub(r"\\(.)", read, literal[1:-1], flags=re.DOTALL)


def _text(literal: str) -> str:
    """Return the text of a literal, whatever stands before its quotes."""
    return _plain(literal.removeprefix("@"), more="$#")


def _joined(text: str, key: str, pattern: str, *, more: str = "") -> str:
    """Return the text of a literal in which the pattern stands for the key."""
    before, found, after = re.match(rf'(?s)"(.*?)(?:({pattern})(.*))?"$', text).groups()  # type: ignore[union-attr]
    head = _plain(f'"{before}"', more=more)
    return head + key + _plain(f'"{after}"', more=more) if found else head


def _statements(*given: tuple[str, str]) -> tuple[_Statement, ...]:
    """Return statements from patterns in which `STR` is a literal and a blank is any white space."""
    return tuple(
        _Statement(
            re.compile(rf"\s*{pattern.replace('STR', _STRING)}\s*", re.DOTALL), tuple(means.split()) if means else ()
        )
        for pattern, means in given
    )


# Swift

_SWIFT_KEY = rf'\\\(ProcessInfo\.processInfo\.environment\["{KEY_VARIABLE}"\]!\)'
_SWIFT_STRING = rf'"(?:[^"\\\n]|\\[^(]|{_SWIFT_KEY})*"'


def _swift_text(text: str, key: str) -> str:
    return _joined(text, key, _SWIFT_KEY)


def _swift_body(literal: str) -> str:
    match = re.fullmatch(r'(#+)"""\n(.*)\n"""\1', literal, re.DOTALL)
    assert match, literal
    if f'"""{match[1]}' in match[2] or f"\\{match[1]}" in match[2]:
        raise Unreadable("the literal of the body ends or is interpolated within")
    return match[2]


def _swift_piece(literal: str) -> str:
    return _plain(literal.replace(r"\(boundary)", BOUNDARY))


_SWIFT = _Language(
    _statements(
        (r"import \w+", ""),
        (r"#if canImport\(\w+\)", ""),
        (r"#endif", ""),
        (r"var request = URLRequest\(url: URL\(string: (STR)\)!, timeoutInterval: 300\)", "url"),
        (r"request\.httpMethod = (STR)", "method"),
        (rf"request\.setValue\(({_SWIFT_STRING}), forHTTPHeaderField: (STR)\)", "value header"),
        (r'request\.httpBody = Data\(((#+)""".*?"""\2)\.utf8\)', "body fence"),
        (r"let \(data, _\) = try await URLSession\.shared\.data\(for: request\)", ""),
        (r"let boundary = UUID\(\)\.uuidString", ""),
        (r"var form = Data\(\)", ""),
        (r"form\.append\(Data\((STR)\.utf8\)\)", "piece"),
        (r"form\.append\(try Data\(contentsOf: URL\(fileURLWithPath: (STR)\)\)\)", "data"),
        (
            r'request\.setValue\("multipart/form-data; boundary=\\\(boundary\)", forHTTPHeaderField: "Content-Type"\)',
            "",
        ),
        (r"request\.httpBody = form", ""),
        (r"print\(String\(decoding: data, as: UTF8\.self\)\)", ""),
        (r"try data\.write\(to: URL\(fileURLWithPath: STR\)\)", ""),
    ),
    _swift_text,
    _swift_body,
    direct=True,
    piece=_swift_piece,
)


# Dart

_DART_KEY = rf"\$\{{Platform\.environment\['{KEY_VARIABLE}'\]\}}"


def _dart_text(text: str, key: str) -> str:
    if "$" in re.sub(rf"\\.|{_DART_KEY}", "", text):
        raise Unreadable(f"a variable in {text}")
    return _joined(text, key, _DART_KEY, more="$#")


def _dart_body(literal: str) -> str:
    return literal.removeprefix("r'''\n").removesuffix("'''") if literal.startswith("r'''") else _dart_text(literal, "")


_DART = _Language(
    _statements(
        (r"import '[\w:./]+'(?: as http)?;", ""),
        (r"Future<void> main\(\) async \{", ""),
        (r"final request = http\.Request\((STR), Uri\.parse\((STR)\)\);", "method url"),
        (r"final request = http\.MultipartRequest\((STR), Uri\.parse\((STR)\)\);", "method url"),
        (r"request\.files\.add\(await http\.MultipartFile\.fromPath\((STR), (STR)\)\);", "field file"),
        (r"request\.fields\[(STR)\] = (STR);", "field value"),
        (r"request\.headers\.addAll\(\{", ""),
        (r"(STR): (STR),", "header value"),
        (r"\}\);", ""),
        (r"request\.body = (r'''\n.*?'''|STR);", "body"),
        (r"final response = await request\.send\(\);", ""),
        (r"await stdout\.addStream\(response\.stream\);", ""),
        (r"await response\.stream\.pipe\(File\(STR\)\.openWrite\(\)\);", ""),
        (r"\}", ""),
    ),
    _dart_text,
    _dart_body,
    direct=True,
)


# C#

_CSHARP_KEY = rf'Environment\.GetEnvironmentVariable\("{KEY_VARIABLE}"\)'
_CSHARP_VALUE = rf"(?:STR \+ )?{_CSHARP_KEY}|STR"
_CSHARP_BODY = (r'var body = (("{3,})\n.*?\n\2);', "body fence")
_CSHARP_FILE = r"await File\.WriteAllBytesAsync\(STR, await "


def _csharp_text(text: str, key: str) -> str:
    return _sum(text, key, " + ", _CSHARP_KEY)


def _csharp_body(literal: str) -> str:
    match = re.fullmatch(r'("{3,})\n(.*)\n\1', literal, re.DOTALL)
    assert match, literal
    return match[2]


_HTTP_CLIENT = _Language(
    _statements(
        (r"using System\.Text;", ""),
        _CSHARP_BODY,
        (r"using var client = new HttpClient \{ Timeout = TimeSpan\.FromSeconds\(300\) \};", ""),
        (r"using var request = new HttpRequestMessage\(new HttpMethod\((STR)\), (STR)\);", "method url"),
        (rf"request\.Headers\.TryAddWithoutValidation\((STR), ({_CSHARP_VALUE})\);", "header value"),
        (r"using var form = new MultipartFormDataContent\(\);", ""),
        (r"form\.Add\(new StreamContent\(File\.OpenRead\((STR)\)\), (STR), STR\);", "file field"),
        (r"form\.Add\(new StringContent\((STR)\), (STR)\);", "value field"),
        (r"request\.(Content = form);", "sends"),
        (r'request\.(Content = new StringContent\(body), Encoding\.UTF8, "application/json"\);', "sends"),
        (
            r"using var response = await client\.SendAsync\(request(?:, HttpCompletionOption\.ResponseHeadersRead)?\);",
            "",
        ),
        (r"using var reader = new StreamReader\(await response\.Content\.ReadAsStreamAsync\(\)\);", ""),
        (r"while \(await reader\.ReadLineAsync\(\) is \{ \} line\) Console\.WriteLine\(line\);", ""),
        (r"Console\.WriteLine\(await response\.Content\.ReadAsStringAsync\(\)\);", ""),
        (rf"{_CSHARP_FILE}response\.Content\.ReadAsByteArrayAsync\(\)\);", ""),
    ),
    _csharp_text,
    _csharp_body,
    json_type=f"{_JSON_TYPE}; charset=utf-8",
)

_REST_SHARP = _Language(
    _statements(
        (r"using RestSharp;", ""),
        _CSHARP_BODY,
        (r"using var client = new RestClient\((STR)\);", "base"),
        (r"var request = new RestRequest\((STR), Method\.(Get|Post|Delete)\);", "url method"),
        (rf"request\.AddHeader\((STR), ({_CSHARP_VALUE})\);", "header value"),
        (r"request\.(AddStringBody\(body), DataFormat\.Json\);", "sends"),
        (r"request\.(AddFile)\((STR), (STR)\);", "sends field file"),
        (r"request\.(AddParameter)\((STR), (STR)\);", "sends field value"),
        (r"var response = await client\.ExecuteAsync\(request\);", ""),
        (r"Console\.WriteLine\(response\.Content\);", ""),
        (rf"{_CSHARP_FILE}client\.DownloadDataAsync\(request\) \?\? \[\]\);", ""),
    ),
    _csharp_text,
    _csharp_body,
    json_type=_JSON_TYPE,
)


# Objective-C

_OBJC_KEY = rf'NSProcessInfo\.processInfo\.environment\[@"{KEY_VARIABLE}"\]'
_OBJC_VALUE = rf"@STR|\[NSString stringWithFormat:@STR, {_OBJC_KEY}\]"


def _objc_text(text: str, key: str) -> str:
    if text.startswith("@"):
        return _plain(text[1:])
    match = re.fullmatch(rf"\[NSString stringWithFormat:@({_STRING}), {_OBJC_KEY}\]", text)
    assert match, text
    form = _plain(match[1])
    assert form.count("%") == 1 and "%@" in form, form
    return form.replace("%@", key)


def _objc_body(literal: str) -> str:
    return "".join(_plain(one) for one in re.findall(_STRING, literal))


def _objc_piece(text: str) -> str:
    """Return a text in which each `%@` is what stands behind it: the boundary, then the value of a field."""
    form, *given = re.findall(rf"{_STRING}|boundary", text)
    head, *tails = _plain(form).split("%@")
    values = [BOUNDARY if one == "boundary" else _plain(one) for one in given]
    return head + "".join(value + tail for value, tail in zip(values, tails, strict=True))


_OBJECTIVE_C = _Language(
    _statements(
        (r"#import <Foundation/Foundation\.h>", ""),
        (r"int main\(void\) \{\s*@autoreleasepool \{", ""),
        (
            r"NSMutableURLRequest \*request = \[NSMutableURLRequest requestWithURL:\[NSURL URLWithString:(@STR)\]\];",
            "url",
        ),
        (r"request\.HTTPMethod = (@STR);", "method"),
        (r"request\.timeoutInterval = 300;", ""),
        (rf"\[request setValue:({_OBJC_VALUE}) forHTTPHeaderField:(@STR)\];", "value header"),
        (r"NSString \*body =\s+((?:@STR\s*)+);", "body"),
        (r"request\.(HTTPBody) = \[body dataUsingEncoding:NSUTF8StringEncoding\];", "sends"),
        (r"NSString \*boundary = NSUUID\.UUID\.UUIDString;", ""),
        (r"NSMutableData \*form = \[NSMutableData data\];", ""),
        (
            r"\[form appendData:\[\[NSString stringWithFormat:@(STR, boundary(?:, @STR)?)\]"
            r" dataUsingEncoding:NSUTF8StringEncoding\]\];",
            "piece",
        ),
        (r"\[form appendData:\[NSData dataWithContentsOfFile:@(STR)\]\];", "data"),
        (r"\[form appendData:\[@(STR) dataUsingEncoding:NSUTF8StringEncoding\]\];", "piece"),
        (
            r'\[request setValue:\[@"multipart/form-data; boundary=" stringByAppendingString:boundary\]'
            r' forHTTPHeaderField:@"Content-Type"\];',
            "",
        ),
        (r"request\.(HTTPBody) = form;", "sends"),
        (r"dispatch_semaphore_t done = dispatch_semaphore_create\(0\);", ""),
        (r"\[\[NSURLSession\.sharedSession dataTaskWithRequest:request", ""),
        (r"completionHandler:\^\(NSData \*data, NSURLResponse \*response, NSError \*error\) \{", ""),
        (r'if \(error\) NSLog\(@"%@", error\);', ""),
        (
            r"else printf\(STR, \[\[NSString alloc\] initWithData:data encoding:NSUTF8StringEncoding\]\.UTF8String\);",
            "",
        ),
        (r"else \[data writeToFile:@STR atomically:YES\];", ""),
        (r"dispatch_semaphore_signal\(done\);", ""),
        (r"\}\] resume\];", ""),
        (r"dispatch_semaphore_wait\(done, DISPATCH_TIME_FOREVER\);", ""),
        (r"\}\s*return 0;\s*\}", ""),
    ),
    _objc_text,
    _objc_body,
    piece=_objc_piece,
)


# OCaml

_OCAML_KEY = rf'Sys\.getenv "{KEY_VARIABLE}"'


def _ocaml_text(text: str, key: str) -> str:
    return _sum(text, key, " ^ ", _OCAML_KEY)


def _ocaml_body(literal: str) -> str:
    match = re.fullmatch(r"\{(\w*)\|(.*)\|\1\}", literal, re.DOTALL)
    assert match, literal
    return match[2]


_OCAML = _Language(
    _statements(
        (r"\(\* dune: \(libraries cohttp-lwt-unix\) \*\)", ""),
        (r"open Lwt\.Infix", ""),
        (r"let body = Cohttp_lwt\.Body\.of_string (\{(\w*)\|.*?\|\2\})", "body fence"),
        (r"let read name = In_channel\.with_open_bin name In_channel\.input_all", ""),
        (r'let body = Cohttp_lwt\.Body\.of_string \(String\.concat "" \[', ""),
        (r"read (STR); (STR);", "data after"),
        (r"(STR)(?:;| \]\))", "piece"),
        (r"let headers =", ""),
        (r"Cohttp\.Header\.of_list \[", ""),
        (rf"\((STR), ((?:STR \^ )?{_OCAML_KEY}|STR)\);", "header value"),
        (r"\]", ""),
        (r"let \(\) =\s*Lwt_main\.run", ""),
        (
            r"\(Cohttp_lwt_unix\.Client\.call ~headers( ~body)? (`[A-Z]+)\s*"
            r"\(Uri\.of_string (STR)\)\s*>>= fun \(_response, answer\) ->",
            "sends method url",
        ),
        (r"Cohttp_lwt\.Body\.to_string answer >>= Lwt_io\.printl\)", ""),
        (
            r"Cohttp_lwt\.Body\.to_string answer >>= fun data ->\s*"
            r"Lwt_io\.with_file ~mode:Lwt_io\.Output STR \(fun file -> Lwt_io\.write file data\)\)",
            "",
        ),
    ),
    _ocaml_text,
    _ocaml_body,
)


# Rust

_RUST_KEY = rf'std::env::var\("{KEY_VARIABLE}"\)\?'


def _rust_text(text: str, key: str) -> str:
    match = re.fullmatch(rf"format!\(({_STRING}), {_RUST_KEY}\)", text)
    return _plain(match[1]).format(key) if match else _plain(text)


def _rust_body(literal: str) -> str:
    match = re.fullmatch(r'r(#+)"(.*)"\1', literal, re.DOTALL)
    assert match, literal
    return match[2]


_RUST = _Language(
    _statements(
        (r'// Cargo\.toml: reqwest = \{ version = "0\.12", features = \["blocking"(?:, "multipart")?\] \}', ""),
        (r"let form = reqwest::blocking::multipart::Form::new\(\)", ""),
        (r"\.text\((STR), (STR)\);?", "field value"),
        (r"\.file\((STR), (STR)\)\?;?", "field file"),
        (r"(\.multipart\(form\))", "sends"),
        (r"fn main\(\) -> Result<\(\), Box<dyn std::error::Error>> \{", ""),
        (r'let body = (r(#+)".*?"\2);', "body fence"),
        (
            r"let client = reqwest::blocking::Client::builder\(\)"
            r"\.timeout\(std::time::Duration::from_secs\(300\)\)\.build\(\)\?;",
            "",
        ),
        (r"let (?:mut )?response = client", ""),
        (r"\.request\(reqwest::Method::([A-Z]+), (STR)\)", "method url"),
        (rf"\.header\((STR), (format!\(STR, {_RUST_KEY}\)|STR)\)", "header value"),
        (r"(\.body\(body\))", "sends"),
        (r"\.send\(\)\?;", ""),
        (r'println!\("\{\}", response\.text\(\)\?\);', ""),
        (r"response\.copy_to\(&mut std::io::stdout\(\)\)\?;", ""),
        (r"response\.copy_to\(&mut std::fs::File::create\(STR\)\?\)\?;", ""),
        (r"Ok\(\(\)\)\s*\}", ""),
    ),
    _rust_text,
    _rust_body,
)


def _sum(text: str, key: str, plus: str, pattern: str) -> str:
    """Return the text of a literal, of the key, or of both with an operator between them."""
    match = re.fullmatch(rf"(?:({_STRING})(?:{re.escape(plus)})?)?({pattern})?", text, re.DOTALL)
    assert match, text
    return (_plain(match[1]) if match[1] else "") + (key if match[2] else "")


_LANGUAGES: dict[str, _Language] = {
    "swift.urlsession": _SWIFT,
    "dart.http": _DART,
    "csharp.httpclient": _HTTP_CLIENT,
    "csharp.restsharp": _REST_SHARP,
    "objective-c.nsurlsession": _OBJECTIVE_C,
    "ocaml.cohttp": _OCAML,
    "rust.reqwest": _RUST,
}
