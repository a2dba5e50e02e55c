"""Where does the file of an import lie while it is needed? In pieces, in the tenant's own rows, and never on a worker's disk.

Knows bytes alone.
"""

from collections.abc import AsyncIterable

from addon.errors import FieldProblem, Invalid
from addon.storage.database import TenantScope

PIECE_BYTES = 256 * 1024
MAX_FILE_BYTES = 50 * 1024 * 1024


async def write(scope: TenantScope, import_id: int, chunks: AsyncIterable[bytes]) -> None:
    """Keep the file, one piece in memory at a time."""
    number = 0
    async for chunk in chunks:
        await scope.raw.execute(
            "INSERT INTO import_piece (tenant_id, import_id, piece_no, bytes) VALUES ($1, $2, $3, $4)",
            scope.tenant_id,
            import_id,
            number,
            chunk,
        )
        number += 1


async def read(scope: TenantScope, import_id: int, *, begin: int, length: int) -> bytes:
    """Up to `length` bytes from the one numbered `begin` on; fewer only where the file ends."""
    first, last = begin // PIECE_BYTES, (begin + length - 1) // PIECE_BYTES
    rows = await scope.raw.fetch(
        """
        SELECT bytes FROM import_piece
        WHERE tenant_id = $1 AND import_id = $2 AND piece_no BETWEEN $3 AND $4 ORDER BY piece_no
        """,
        scope.tenant_id,
        import_id,
        first,
        last,
    )
    start = begin - first * PIECE_BYTES
    return b"".join(row["bytes"] for row in rows)[start : start + length]


async def erase(scope: TenantScope, import_id: int) -> None:
    """The file and what was read of it are needed no more; what is wrong with it stays to be read."""
    for table in ("import_piece", "import_row"):
        await scope.raw.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND import_id = $2",  # noqa: S608 - names from this function
            scope.tenant_id,
            import_id,
        )


def require_size(size: int) -> None:
    """Raises Invalid."""
    if size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024**2
        raise Invalid([FieldProblem(field="file", problem=f"is larger than {limit} MB; import it in parts")])
    if size == 0:
        raise Invalid([FieldProblem(field="file", problem="is empty")])
