import uuid
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.queue import jobs
from addon.queue.worker import Again, Worker
from addon.sync.work import Kind, Work
from lifecycle.tenant import TenantId


@given(st.sampled_from(get_args(Kind)), st.uuids(), st.integers(min_value=0, max_value=2**62))
def test_job_survives_the_queue(kind: Kind, tenant_id: uuid.UUID, number: int) -> None:
    work = Work(kind=kind, tenant_id=TenantId(tenant_id), number=number)
    assert jobs.decode(kind, jobs.encode(work)) == work


@pytest.mark.parametrize(
    "payload",
    [
        None,
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"tenant_id": "nobody", "number": 1}',
        b'{"tenant_id": 7, "number": 1}',
        b'{"tenant_id": "00000000-0000-0000-0000-000000000000"}',
        b'{"tenant_id": "00000000-0000-0000-0000-000000000000", "number": null}',
    ],
)
def test_payload_that_we_did_not_write_is_refused(payload: bytes | None) -> None:
    with pytest.raises(ValueError, match="unreadable payload"):
        jobs.decode("run", payload)


def test_every_kind_has_a_priority_and_what_a_person_waits_for_goes_first() -> None:
    assert set(jobs.PRIORITIES) == set(get_args(Kind))
    assert jobs.PRIORITIES["clear-links"] > jobs.PRIORITIES["run"]


def test_worker_needs_a_handler_for_every_kind() -> None:
    async def handle(_: Work) -> Again | None:
        return None

    with pytest.raises(ValueError, match="needs a handler"):
        Worker("postgresql://nowhere", {"run": handle}, {})
