import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from vcr.request import Request

from llm_router.cassettes.filtering import FILTERED, Filter

KEY = 'sk-odd/key+"with"=marks-0123'
SPELLINGS = [KEY, quote(KEY, safe=""), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode()]


def post(uri: str = "https://host/v1/chat", body: bytes = b"{}", **headers: Any) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", uri, body, {"content-type": "application/json", **named})


def told(body: bytes = b"{}", **headers: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {"status": {"code": 200, "message": "OK"}, "headers": named, "body": {"string": body}}


@pytest.mark.parametrize(
    "header",
    [
        *("authorization", "Authorization", "x-api-key", "api-key", "cookie", "x-goog-api-key", "x-a-name-of-our-own"),
        *("openai-organization", "openai-project", "user-agent", "x-stainless-os", "traceparent", "host"),
    ],
)
def test_only_harmless_headers_of_a_request_are_kept(header: str) -> None:
    headers: dict[str, Any] = {header: KEY, "anthropic-version": "2023-06-01"}
    cleaned = Filter().clean_request(post(**headers))
    assert {*cleaned.headers} == {"content-type", "anthropic-version"}


@pytest.mark.parametrize("header", ["set-cookie", "openai-organization", "anthropic-organization-id", "cf-ray"])
def test_only_harmless_headers_of_a_response_are_kept(header: str) -> None:
    headers: dict[str, Any] = {
        header: "x",
        "retry-after": "3",
        "anthropic-ratelimit-tokens-reset": "x",
        "X-Should-Retry": "f",
    }
    response = told(**headers)
    cleaned = Filter().clean_response(post(), response)
    assert {*cleaned["headers"]} == {"retry-after", "anthropic-ratelimit-tokens-reset", "X-Should-Retry"}


@pytest.mark.parametrize(
    "name", ["key", "api_key", "api-key", "subscription-key", "access_token", "sig", "X-Signature"]
)
def test_keys_leave_addresses_and_the_version_stays(name: str) -> None:
    cleaned = Filter().clean_request(post(f"https://host/v1?api-version=2024-10-21&{name}=k&top=1"))
    assert cleaned.uri == "https://host/v1?api-version=2024-10-21&top=1"


def test_user_and_password_leave_addresses() -> None:
    assert Filter().clean_request(post("https://me:secret@host:8443/v1")).uri == "https://host:8443/v1"


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("carrier", ["authorization", "x-api-key", "settings"])
def test_a_key_is_taken_out_wherever_it_is_written(spelling: str, carrier: str) -> None:
    headers: Any = {"authorization": f"Bearer {KEY}"} if carrier == "authorization" else {carrier: KEY}
    filtering = Filter([KEY] if carrier == "settings" else ())
    asked = post(f"https://host/{quote(spelling)}", f"say {spelling}!".encode(), **headers)
    if carrier == "settings":
        asked.headers = {}
    answer = filtering.clean_response(asked, told(f"no {spelling}".encode(), x_request_id=spelling))
    assert answer["body"]["string"] == f"no {FILTERED}".encode()
    assert answer["headers"]["x-request-id"] == [FILTERED]
    cleaned = filtering.clean_request(asked)
    assert cleaned.body == f"say {FILTERED}!".encode()
    assert KEY not in cleaned.uri


def test_a_redirect_is_kept_without_its_key() -> None:
    cleaned = Filter().clean_response(post(), told(location="https://other/v1?key=k&a=1"))
    assert cleaned["headers"]["location"] == ["https://other/v1?a=1"]


def test_a_word_in_the_place_of_a_key_is_no_secret() -> None:
    asked = post(body=b"there is none", authorization="Bearer none")
    assert Filter(["", "none"]).clean_request(asked).body == b"there is none"


def test_filtering_twice_changes_nothing() -> None:
    once = Filter().clean_request(post("https://me:p@host/v1?key=k&a=%20b", b"x", authorization=f"Bearer {KEY}"))
    before = (once.uri, once.body, dict(once.headers))
    again = Filter().clean_request(once)
    assert (again.uri, again.body, dict(again.headers)) == before
