import asyncio

import pytest

from tests.wire.fault_case import Fault
from tests.wire.fault_cells import list_cells, run_cells
from tests.wire.fault_table import explain
from tests.wire.faults import FAULTS, NO_FAULTS


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Let the SDKs load what they load at their first call, before a short clock runs."""
    asyncio.run(run_cells(list_cells(NO_FAULTS)))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
async def test_what_the_router_does_with_a_wire_fault(fault: Fault) -> None:
    results = await run_cells(list_cells([fault]))
    assert results
    assert [explain(each) for each in results if not each.is_as_expected] == []
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:  # the HTTP client's own generators may still be closing
        _, left = await asyncio.wait(left, timeout=2.0)
    assert not left


def test_no_two_faults_are_named_alike() -> None:
    assert len({fault.what for fault in FAULTS}) == len(FAULTS)
