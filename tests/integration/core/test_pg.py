from uuid import UUID

from core.pg import Database


async def test_x(database: Database, tenant: UUID) -> None:
    async with database.transaction(tenant) as conn:
        row = await (await conn.execute("select current_user, current_setting('lattice.tenant')")).fetchone()
    assert row == ("lattice_app", str(tenant))


async def test_y(database: Database, tenant: UUID) -> None:
    async with database.transaction(tenant) as conn:
        row = await (await conn.execute("select count(*) from gem")).fetchone()
    assert row == (0,)
