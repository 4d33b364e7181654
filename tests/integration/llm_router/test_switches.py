from datetime import UTC, datetime, timedelta

from core.pg import Database
from llm_router.switches import Switch, read_switches, set_switch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_switch_stays_as_it_was_last_turned(database: Database) -> None:
    assert await read_switches(database) == {}
    await set_switch(database, "main", enabled=False, now=NOON)
    await set_switch(database, "home", enabled=True, now=NOON)
    await set_switch(database, "main", enabled=True, now=NOON + timedelta(hours=1))
    assert await read_switches(database) == {
        "home": Switch("home", enabled=True, changed_at=NOON),
        "main": Switch("main", enabled=True, changed_at=NOON + timedelta(hours=1)),
    }


async def test_turning_a_switch_to_where_it_stands_keeps_its_moment(database: Database) -> None:
    await set_switch(database, "main", enabled=False, now=NOON)
    await set_switch(database, "main", enabled=False)
    assert (await read_switches(database))["main"].changed_at == NOON
