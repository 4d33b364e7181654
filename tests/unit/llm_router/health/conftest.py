import pytest

from llm_router.health.breaker import Breaker
from tests.unit.llm_router.health.driving import CONFIG, Luck
from tests.wire.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def luck() -> Luck:
    return Luck()


@pytest.fixture
def breaker(clock: Clock, luck: Luck) -> Breaker:
    return Breaker(CONFIG, clock, random=luck)
