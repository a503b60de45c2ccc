"""Entries that somebody with nothing good in mind, or with a broken exporter, puts into a list.

None may ever add a variable, an argument or a second command to what FreeSWITCH is sent.  Each is
the raw value of a list element; what becomes of it is for the tests that push it to say.
"""

from __future__ import annotations

import json

NUMBER = "13800138000"
_MEGABYTE = 1_000_000

# Text that breaks out of a number or a value where somebody forgot to quote.
FRAGMENTS: tuple[str, ...] = (
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\nbgapi status",
    "\r\n\r\napi shutdown\r\n\r\n",
    "\n\napi fsctl shutdown now\n\n",
    "%0A",
    "%0a%0aapi status",
    "%0D%0A%0D%0A",
    "\\n",
    "\\r\\n",
    "\\s&hangup",
    "\0",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\ufeff",
    "\t",
    "\v",
    "\f",
    " ",
    " XML default",
    " &park()",
    " &system(id)",
    " &lua(x.lua)",
    " undef",
    " | sofia/gateway/other/1",
    "|user/1000",
    ",user/1000",
    ":_:user/1000",
    "^^:a=1:b=2",
    "{",
    "}",
    "{}",
    "{x=1}",
    "}{x=1}",
    "{origination_uuid=x}",
    "[",
    "]",
    "[x=1]",
    "<x=1>",
    "(",
    ")",
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "\\\\",
    "`id`",
    "$(id)",
    "${x}",
    "${system(id)}",
    "${api(shutdown)}",
    "$${domain}",
    "#{x}",
    "@",
    "@example.com",
    "@127.0.0.1:5060;transport=tcp",
    "/",
    "/../",
    ";fs_path=sip:127.0.0.1",
    ";",
    "?a=b",
    "&",
    "=",
    ",",
    ",cti_host=other",
    "ARRAY::a|:b",
    "ARRAY::",
    "|:",
    "~",
    "!",
    "%",
    "%00",
    "%s%n",
    "%2C",
    "<!--",
    "<script>alert(1)</script>",
    "' or 1=1 --",
    "1e3",
    ".0",
    "-",
    "中文",
    "１２３",
    "٣",
    "²",
    "😀",
    "e\u0301",
)

# Documents that are no entry: malformed, of the wrong shape, or of the wrong type.
DOCUMENTS: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\n",
    b"{",
    b"}",
    b"{}",
    b"{}{}",
    b"{]",
    b"[]",
    b"[1]",
    b"null",
    b"true",
    b"nan",
    b"Infinity",
    b"undef",
    b"-",
    b"+",
    b"++1",
    b"1+1",
    b'"13800138000"',
    b"'13800138000'",
    b"{'params':{'number':'1'}}",
    b'{"params":null}',
    b'{"params":[]}',
    b'{"params":[{"number":"1"}]}',
    b'{"params":"13800138000"}',
    b'{"params":{}}',
    b'{"number":"13800138000"}',
    b'{"params":{"number":null}}',
    b'{"params":{"number":""}}',
    b'{"params":{"number":true}}',
    b'{"params":{"number":[]}}',
    b'{"params":{"number":{}}}',
    b'{"params":{"number":["13800138000"]}}',
    b'{"params":{"number":1.5}}',
    b'{"params":{"number":1e3}}',
    b'{"params":{"number":1.38e10}}',
    b'{"params":{"number":-1}}',
    b'{"params":{"number":0138}}',
    b'{"params":{"number":NaN}}',
    b'{"params":{"number":1}',
    b'{"params":{"number":1}}}',
    b'{"params":{"number":1},}',
    b'{"params":{"number":1}}\x00',
    b'{"params":{"number":1}} bgapi status',
    b'{"params":{"number":"1"}}\n\napi status',
    b'{"params":{"number":"1\n2"}}',
    b'{"params":{"number":"\\u0000"}}',
    b'{"params":{"number":"\\ud800"}}',
    b'{"params":{"number":"\\udc00\\ud800"}}',
    b'{"params":{"number":"1"},"variables":1}',
    b'{"params":{"number":"1"},"variables":"a=b"}',
    b'{"params":{"number":"1"},"variables":[1]}',
    b'{"params":{"number":"1"},"variables":{"":"x"}}',
    b'{"params":{"number":"1"},"variables":{" ":"x"}}',
    b'{"params":{"number":"1"},"variables":{"a":[]}}',
    b'{"params":{"number":"1"},"variables":{"a":{}}}',
    b'{"params":{"number":"1"},"variables":{"a":{"b":{"c":1}}}}',
    b'{"params":{"number":"1"},"variables":{"a":"\\u0000"}}',
    b'{"params":{"number":"1"},"variables":{"a":"\\ud800"}}',
    b'{"params":{"number":"1"},"variables":{"a\\u0000":"x"}}',
    b'{"params":{"number":"1"},"variables":{"\xff":"x"}}',
    b'{"params":{"number":"1"},"variables":{"a":"\xff"}}',
    b'{"params":{"number":"\xff"}}',
    b'{"params":{"number":"1","number":"2\\n"}}',
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xfe\xff\x001\x003",
    b"\xef\xbb\xbf13800138000",
    b'\xef\xbb\xbf{"params":{"number":"1"}}',
    b"1380013800\x80",
    b"\x00",
    b"\x0013800138000",
    b"13800138000\x00",
    b"\xe4\xb8",
)

# Documents that are well-formed, yet made to hurt.
GIANTS: tuple[bytes, ...] = (
    b"1" * _MEGABYTE,
    b"a" * _MEGABYTE,
    b" " * _MEGABYTE,
    b"\xff" * _MEGABYTE,
    b"{" * _MEGABYTE,
    b"[" * _MEGABYTE,
    b'{"a":' * 200_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"params":{"number":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    b'{"params":{"number":' + b"1" * _MEGABYTE + b"}}",
    b'{"params":{"number":' + b"1" * 4300 + b"}}",
    b'{"params":{"number":1.' + b"0" * _MEGABYTE + b"}}",
    b'{"params":{"number":1e' + b"9" * 1000 + b"}}",
    b'{"params":{"number":"' + b"1" * _MEGABYTE + b'"}}',
    b'{"params":{"number":"1"},"variables":{"a":"' + b"x" * _MEGABYTE + b'"}}',
    b'{"params":{"number":"1"},"variables":{"a":"' + b"'" * 100_000 + b'"}}',
    b'{"params":{"number":"1"},"variables":{"a":"' + b"${" * 100_000 + b'"}}',
    b'{"params":{"number":"1"},"variables":{"' + b"x" * _MEGABYTE + b'":"a"}}',
    b'{"params":{"number":"1"},"variables":{"a":' + b"9" * 4300 + b"}}",
    b'{"params":{"number":"1"},"variables":'
    + json.dumps({f"v{index}": index for index in range(20_000)}).encode()
    + b"}",
    b'{"params":{"number":"1"},"variables":'
    + json.dumps({f"{index}": [] for index in range(20_000)}).encode()
    + b"}",
)


def entry(number: str, variables: dict[str, object] | None = None) -> bytes:
    """Return a JSON entry with this number and these variables."""
    document = {"params": {"number": number}, "variables": variables or {}}
    return json.dumps(document, ensure_ascii=False).encode()


def _around(fragment: str) -> list[bytes]:
    return [
        f"{NUMBER}{fragment}".encode(),
        f"{fragment}{NUMBER}".encode(),
        entry(f"{NUMBER}{fragment}"),
        entry(NUMBER, {"a": fragment}),
        entry(NUMBER, {"a": f"x{fragment}y"}),
        entry(NUMBER, {f"a{fragment}": "x"}),
    ]


_FORGED: tuple[bytes, ...] = tuple(
    entry(NUMBER, {name: "forged"})
    for name in (
        "cti_task_name",
        "cti_dial_number",
        "cti_line_name",
        "cti_line_group_name",
        "cti_host",
        "CTI_HOST",
        "Cti_Task_Name",
        "origination_uuid",
        "ORIGINATION_UUID",
        "ignore_early_media",
        "execute_on_answer",
        "api_on_answer",
    )
)

HOSTILE_ENTRIES: list[bytes] = list(
    dict.fromkeys(
        [
            *(raw for fragment in FRAGMENTS for raw in _around(fragment)),
            *_FORGED,
            *DOCUMENTS,
            *GIANTS,
        ]
    )
)
