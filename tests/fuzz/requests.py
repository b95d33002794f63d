"""Hostile requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from ml.labels import ACTIONS, EMOTIONS
from tests.factories import make_photo_bytes
from tests.fuzz.addresses import Address, addresses

FORM, MULTIPART, JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=edge",
    "application/json",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
PEOPLE = ("nobody", "person", "staff", "program")
LONG_NUMBER = "9" * 5000
HOSTILE = (
    *("", " ", "\x00", "a\x00b", "\r\nX-Injected: 1", "\u202e", "\ufffe", "é" * 300, "😀", "\x7f"),
    *("-1", "0", "1", "10000000000", str(2**31), str(2**63), str(10**30), LONG_NUMBER, "٣", "²"),
    *("1e400", "-1e400", "NaN", "Infinity", "-Infinity", "0x10", "1_000", "0.5"),
    *("0001-01-01T00:00:00+14:00~" + "0" * 32, "9999-12-31T23:59:59-14:00~" + "f" * 32),
    *("0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "2026-11-28T25:61:61Z"),
    *("null", "true", "None", "[]", "{}", "__all__", "'", '"', "\\", "%", "%s", "%(a)s", "{{ 7 }}"),
    *("http://[", "//evil.test", "javascript:1", "../../../etc/passwd", "a/b", "_5B_", "_00"),
    *("&|!(", "cD1hYmM=", "cD0lMDA=", "bz05OTk5OTk="),
    *("0" * 32, "0" * 31, "f" * 36, "a" * 3000, "en-us", "x,y"),
)  # fmt: skip
PLAUSIBLE = (
    *EMOTIONS[:2], *ACTIONS[:2], "yes", "no", "pop", "en", "low", "spotify", "storify", "code",
    "S256", "delete", "delete_selected", "try_again", "id", "track", "stories", "story", "user",
    "2000", "http://127.0.0.1:8000/oauth/complete/spotify/", "authorization_code", "a-password-1",
    "someone@storify.test", "/stories/", "json", "day out",
)  # fmt: skip
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Range": ("bytes=0-1", f"bytes={LONG_NUMBER}-", f"bytes=-{LONG_NUMBER}", "bytes=5-2"),
    "If-Range": ('"x"', "\x01"),
    "If-None-Match": ("*", '"' + "x" * 5000, "W/"),
    "If-Modified-Since": ("Sat, 99 Nov 99999 99:99:99 GMT", LONG_NUMBER, "0"),
    "Accept": ("text/html", "application/*;q=x", "*/*; q=9", ",;,", "x" * 3000, "image/png"),
    "Accept-Language": ("en;q=x", "x" * 3000, "*", "de-" * 200, "../.."),
    "Accept-Encoding": ("gzip;q=x", "*"),
    "Authorization": ("Token", "Token \xff\xfe", "Token a b", "Basic =", "Bearer x", "x" * 5000),
    "Cookie": (
        'sessionid="\\000"', 'csrftoken="\\000"; messages="\\000"', "sessionid=" + "x" * 4000,
        'messages="\\"[[\\"', "=;=;;", "sessionid=\xff", "messages=a:b:c; csrftoken=\xe9",
    ),
    "Idempotency-Key": ("x" * 201, "\x01", "\xe9", " "),
    "HX-Request": ("true", "maybe"),
    "HX-Current-URL": ("http://[", "http://testserver/\x01", "//", "%00"),
    "HX-Current-URL-URI-AutoEncoded": ("true",),
    "HX-Target": ("\xff",),
    "Triggering-Event": ("[" * 5000,),
    "Content-Length": ("-1", "abc", LONG_NUMBER, "", "99999999999", "٣".encode().decode("latin-1")),
    "Content-Type": (
        "application/json; charset=utf-7", "application/json; charset=zlib", "text/plain", "/", "",
        "multipart/form-data", "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary=edge; charset=idna", f"{FORM}; charset=utf-16",
        "multipart/form-data; boundary=edge; charset=zlib", "application/json; charset=\xff",
    ),
    "X-Forwarded-For": ("\x01", ",,,", "x" * 3000),
    "X-Requested-With": ("XMLHttpRequest",),
    "Referer": ("http://[", "\xff"),
    "Origin": ("http://[", "null"),
    "Host": ("testserver:99999", "[", "a" * 300),
    "X-HTTP-Method-Override": ("DELETE",),
}  # fmt: skip
JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    "\ud800",
    "\x00",
    0,
    0.5,
    2**63,
    10**400,
    [[[]]],
    -1,
)
BODIES = (
    b"", b"\x00", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"nul", b'"\\ud800"', b"{}",
    b"[]",
    b'{"mood": {"valence": 1' + b"0" * 400 + b', "energy": 0.5}}', b'{"year_from": 1e999}',
    b'{"year_from": ' + b"9" * 5000 + b"}", b'{"mood": {"valence": NaN, "energy": Infinity}}',
    b'{"liked_genres": ["\\ud800"]}', b'{"genres": [[[]]], "languages": {"a": "\\u0000"}}',
    b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="\x00.jpg"\r\n\r\nx\r\n'
    b"--edge--",
    b'--edge\r\nContent-Disposition: form-data; name="a"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n?",
    b"--edge", b"a=%00&b=%ff&%00=1", b"a=1&" * 2000,
)  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """One request: address, client and parameters."""

    address: Address
    path: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    who: str = "nobody"
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = FORM
    headers: Mapping[str, str] = field(default_factory=dict)

    def url(self, real: Mapping[str, str]) -> str:
        """The address with its parameters filled in, by default from `real`."""
        before = self.address.template.partition("%(")[0]
        known = {**real, "object_id": real.get(before, real["story_id"]), **self.path}
        parts = {name: quote(known.get(name, "x")) for name in self.address.parameters}
        url = self.address.template % parts if parts else self.address.template
        return f"{url}?{urlencode(self.query, errors='surrogatepass')}" if self.query else url

    @classmethod
    def _of(cls, content: tuple[str, bytes], **parts: Any) -> Hostile:
        return cls(content_type=content[0], body=content[1], **parts)


def requests(real: Mapping[str, str]) -> st.SearchStrategy[Hostile]:
    """Strategy for any request to any address; built once per address."""
    values = st.sampled_from((*PLAUSIBLE, *real.values(), *PLAUSIBLE, *HOSTILE))
    values = st.one_of(values, values, _TEXT)
    to = {address: _requests_to(address, values) for address in addresses()}
    return st.sampled_from(addresses()).flatmap(to.__getitem__)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# What the API reads of JSON, as far as the pages' forms do not.
_API_NAMES = ("tags", "mood", "track_id", "allow_explicit", "liked_genres", "genres", "steering")


def _requests_to(address: Address, values: st.SearchStrategy[str]) -> st.SearchStrategy[Hostile]:
    forms, jsons = _pairs(address.form_names(), values), _jsons(address.form_names(), values)
    contents = st.one_of(
        forms.map(lambda pairs: (FORM, urlencode(pairs).encode())),
        forms.map(lambda pairs: (MULTIPART, _multipart(pairs))),
        jsons.map(lambda value: (JSON, json.dumps(value).encode())),
        st.sampled_from([(kind, body) for kind in (FORM, MULTIPART, JSON) for body in BODIES]),
    )
    odd = [{name: value} for name in address.parameters for value in HOSTILE]
    return st.builds(
        Hostile._of,
        address=st.just(address),
        path=st.sampled_from([{} for _ in odd] + odd or [{}]),
        method=st.sampled_from(("GET", "POST", *METHODS)),
        who=st.sampled_from(PEOPLE),
        query=_pairs(address.query_names(), values),
        content=contents,
        headers=st.lists(st.sampled_from(_ALL_HEADERS), max_size=2).map(dict),
    )


_ALL_HEADERS = [(name, value) for name, values in HEADERS.items() for value in values]


def _pairs(names: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(st.sampled_from(names), values), max_size=5).map(tuple)


def _jsons(names: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    plain = st.one_of(values, st.sampled_from(JSON_VALUES), st.floats(), st.integers())
    inner = st.one_of(plain, st.lists(plain, max_size=2), _object(names, plain, 2))
    return st.one_of(_object([*names, *_API_NAMES], inner, 4), inner)


def _object(
    names: list[str], values: st.SearchStrategy[Any], most: int
) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.tuples(st.sampled_from(names), values), max_size=most).map(dict)


def _multipart(pairs: tuple[tuple[str, str], ...]) -> bytes:
    fields = (
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in pairs
    )
    return b"".join(fields) + _PHOTO + b"\r\n--edge--\r\n"


_PHOTO = (
    b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    + make_photo_bytes((8, 8))
)
