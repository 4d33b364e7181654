import inspect
from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest

from llm_router.providers import anthropic_messages, openai_client
from llm_router.providers.wire import Phases, phase_of, read_sdk_error

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1")

NEVER_ON_OUR_CALLS = {
    "_AmbiguousModuleClientUsageError",  # from the module-level client
    "OpenAIError",  # bare: a client built without a key; ours always has one
    "LengthFinishReasonError",  # from the parse helpers
    "ContentFilterFinishReasonError",  # from the parse helpers
    "SubjectTokenProviderError",  # workload identity
    "WebSocketConnectionClosedError",
    "WebSocketQueueFullError",
    "AnthropicError",
    "RetryableError",  # from middleware; we install none
    "CredentialsError",  # from files; our clients get an explicit key
    "IdentityTokenFileError",
}


def walk(error: type[Exception]) -> Iterator[type[Exception]]:
    """Yield an SDK's errors of the wire; what its `lib` adds is about extras that we do not use."""
    package = error.__module__.partition(".")[0]
    if error.__module__ in {package, f"{package}._exceptions"}:
        yield error
    for child in error.__subclasses__():
        yield from walk(child)


@pytest.mark.parametrize(
    ("root", "phases"),
    [(openai.OpenAIError, openai_client.PHASES), (anthropic.AnthropicError, anthropic_messages.PHASES)],
)
def test_no_error_of_an_sdk_is_unmapped(root: type[Exception], phases: Phases) -> None:
    unmapped = {
        error
        for error in walk(root)
        if error.__name__ not in NEVER_ON_OUR_CALLS and phase_of(error.__new__(error), phases) is None
    }
    assert not unmapped


def test_no_error_of_the_transport_is_unmapped() -> None:
    errors = [each for _, each in inspect.getmembers(httpx2, inspect.isclass) if issubclass(each, Exception)]
    programming = {httpx2.CookieConflict}  # we read no cookies
    unmapped = {error for error in errors if error not in programming and phase_of(error.__new__(error), {}) is None}
    assert not unmapped


def test_a_bug_dressed_as_a_lost_connection_is_no_fault_of_the_provider() -> None:
    lost = anthropic.APIConnectionError(request=REQUEST)
    lost.__cause__ = KeyError("a bug")
    assert read_sdk_error(lost, "anthropic", anthropic_messages.PHASES) is None
    lost.__cause__ = httpx2.ConnectError("refused")
    signal = read_sdk_error(lost, "anthropic", anthropic_messages.PHASES)
    assert signal is not None
    assert signal.phase == "connection"


def test_what_the_sdk_raises_in_mid_stream_is_told_apart() -> None:
    broken = read_sdk_error(httpx2.RemoteProtocolError("cut"), "anthropic", anthropic_messages.PHASES)
    slow = read_sdk_error(httpx2.ReadTimeout("slow"), "anthropic", anthropic_messages.PHASES)
    assert broken is not None
    assert slow is not None
    assert (broken.phase, slow.phase) == ("connection", "clock")
