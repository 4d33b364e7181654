"""A cassette in use: loaded by vcrpy, and between every HTTP client of this process and its transport."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import httpx2
import vcr
from vcr.patch import PATCHER_NAMES

from llm_router.cassettes.deck import Deck
from llm_router.cassettes.filtering import Filter
from llm_router.cassettes.matching import ANY_SERVER, EVERYWHERE, Matchers
from llm_router.cassettes.opening import WAYS, CassetteMode
from llm_router.cassettes.storage import CassetteFiles, has_content, require_content, require_writable, saving

Handle = Callable[[httpx2.AsyncHTTPTransport, httpx2.Request], Awaitable[httpx2.Response]]


@contextmanager
def run_cassette(
    file: Path, mode: CassetteMode, *, secrets: Iterable[str], save_every_s: float | None
) -> Iterator[Deck]:
    """See `llm_router.use_cassette`."""
    way = WAYS["none" if mode == "once" and has_content(file) else mode]
    if way.needs_content:
        require_content(file)
    if way.records:
        require_writable(file)
    filtering, inserted = Filter(secrets), list[Deck]()
    recorder = _build_vcr(
        filtering,
        EVERYWHERE,
        record_mode="all" if way.drops else "new_episodes" if way.records else "none",
        drop_unused_requests=way.drops,
        # vcrpy's own patches would hold a stream back until its end, and take a test's calls of an application in this
        # process for traffic
        custom_patches=[(httpx2.AsyncHTTPTransport, "handle_async_request", _put_before_network(inserted))],
    )
    with _quietly(), recorder.use_cassette(file) as cassette:
        deck = Deck(cassette, plays=way.plays, records=way.records, repeats=way.repeats, filtering=filtering)
        inserted.append(deck)
        with saving(cassette, save_every_s) if save_every_s and way.records else nullcontext():
            yield deck


def load_deck(file: Path) -> Deck:
    """Return a deck that plays a cassette as often as it is asked, whichever server the requests are for.

    Raises:
        ConfigurationError: no such file, nothing in it, or no cassette.
    """
    require_content(file)
    filtering = Filter()
    with _quietly(), _build_vcr(filtering, ANY_SERVER, record_mode="none").use_cassette(file) as cassette:
        return Deck(cassette, plays=True, records=False, repeats=True, filtering=filtering)


def _build_vcr(filtering: Filter, matchers: Matchers, **settings: object) -> vcr.VCR:
    recorder = vcr.VCR(
        before_record_request=filtering.clean_request,
        match_on=[matcher.__name__ for matcher in matchers],
        skip_patchers=PATCHER_NAMES,
        **settings,
    )
    for matcher in matchers:
        recorder.register_matcher(matcher.__name__, matcher)
    recorder.register_persister(CassetteFiles)
    return recorder


def _put_before_network(inserted: list[Deck]) -> Handle:
    """Return what takes the place of the transport's method; the deck is there before the first request is."""
    send: Handle = httpx2.AsyncHTTPTransport.handle_async_request

    async def handle(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        return await inserted[0].answer(request, partial(send, transport))

    return handle


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep vcrpy from logging what it records: prompts and answers are not for logs."""
    logger = logging.getLogger("vcr")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
