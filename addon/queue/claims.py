"""Whose is a job, and what becomes of it when its turn ends? PgQueuer's statements, where its own would lose a job.

PgQueuer 1.6 goes by a job's id alone. Here a statement counts only while the job is still its worker's: one that was slow
for so long that another worker took its job over does not put back, end or keep alive what is no longer its own.
"""

from datetime import timedelta

import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TableChangedEvent, TracebackRecord, utc_now
from pgqueuer.domain.types import JOB_STATUS, JobId, QueueManagerId

BEHIND_THE_OTHERS = """
    -- all tenants: the queue is shared
    UPDATE pgqueuer SET id = nextval(pg_get_serial_sequence('pgqueuer', 'id')), status = 'queued',
        execute_after = now() + $2::interval, attempts = attempts + 1, updated = now(), queue_manager_id = NULL
    WHERE id = $1::bigint AND queue_manager_id = $3::uuid
"""

END = """
    -- all tenants: the queue is shared
    WITH ended AS (
        DELETE FROM pgqueuer AS job
        USING unnest($1::bigint[], $2::uuid[], $3::pgqueuer_status[], $4::jsonb[]) AS turn (id, owner, status, traceback)
        WHERE job.id = turn.id AND job.queue_manager_id = turn.owner
        RETURNING job.id, turn.status, job.entrypoint, job.priority, turn.traceback
    )
    INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback) SELECT * FROM ended
"""

BEAT = """
    -- all tenants: the queue is shared
    UPDATE pgqueuer SET heartbeat = now() WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2::uuid
"""

log = structlog.get_logger()


class Claims(Queries):
    """The statements of one worker, `owner`."""

    def __init__(self, driver: AsyncpgPoolDriver, *, owner: QueueManagerId) -> None:
        super().__init__(driver)
        self._owner = owner

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:  # noqa: ARG002 - the log of turns would outgrow the queue
        """Put a job back behind those that wait.

        PgQueuer lets it keep its id, so that a tenant's long run would hold its place for good; and announces no UPDATE (its
        trigger is one for statements, where OLD and NEW are null), so that it would wait for the next poll.
        """
        try:
            await self.driver.execute(BEHIND_THE_OTHERS, job.id, delay, job.queue_manager_id)
            await self._announce()
        except Exception as error:  # noqa: BLE001 - for PgQueuer a job that cannot be put back has failed, and goes
            # It stays claimed, and is taken over once its heartbeat is old.
            log.warning("job-left", job_id=job.id, error=type(error).__name__)

    async def _announce(self) -> None:
        settings = self.qbe.settings
        event = TableChangedEvent(
            channel=settings.channel,
            sent_at=utc_now(),
            type="table_changed_event",
            operation="update",
            table=settings.queue_table,
        )
        await self.driver.notify(settings.channel, event.model_dump_json(exclude={"received_at"}))

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Take jobs that are done out of the queue. Those that were broken off (`canceled`) go back: nobody cancels jobs
        here, so that it means that the worker itself ends.
        """
        for job, status, _ in job_status:
            if status == "canceled":
                await self.driver.execute(BEHIND_THE_OTHERS, job.id, timedelta(0), job.queue_manager_id)
        ended = [each for each in job_status if each[1] != "canceled"]
        if ended:
            await self.driver.execute(
                END,
                [job.id for job, _, _ in ended],
                [job.queue_manager_id for job, _, _ in ended],
                [status for _, status, _ in ended],
                [record and record.model_dump_json() for _, _, record in ended],
            )

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        """A sign of life of the jobs that are still ours. One that is not, though it is at work here, ends with its slice:
        what it does until then it does under the tenant's locks, and breaking it off could cost a connection (databases 0.9).
        """
        await self.driver.execute(BEAT, job_ids, self._owner)
