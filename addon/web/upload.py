"""How does a file reach us? As the part `file` of a form, kept on disk while it comes in and handed on in pieces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from addon.crm import draft
from addon.errors import FieldProblem, Invalid
from addon.storage import import_file

PATHS = ("/api/import/contacts", "/api/fragments/import")
MAX_BODY_BYTES = import_file.MAX_FILE_BYTES + 64 * 1024
# The form around the file needs some.

FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that has come in whole. `fields`: the other fields of its form."""

    file: UploadFile
    fields: dict[str, str]

    @property
    def name(self) -> str:
        """As far as it can be kept and shown."""
        return draft.printable(self.file.filename or "")

    @property
    def size(self) -> int:
        return self.file.size or 0

    async def head(self, length: int) -> bytes:
        await self.file.seek(0)
        return await self.file.read(length)

    async def pieces(self) -> AsyncIterator[bytes]:
        await self.file.seek(0)
        while piece := await self.file.read(import_file.PIECE_BYTES):
            yield piece


@asynccontextmanager
async def receive(request: Request) -> AsyncIterator[Upload]:
    """The file is gone with the block. Raises HTTPException 400 or 415, Invalid without a file or for one that is too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415, f"The body must be {FORM}.")
    form = await _read_form(request)
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Invalid([FieldProblem(field="file", problem="is required")])
        upload = Upload(file=file, fields={name: value for name, value in form.items() if isinstance(value, str)})
        import_file.require_size(upload.size)
        yield upload
    finally:
        await form.close()


async def _read_form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=5)
    except (
        UnicodeError
    ) as exc:  # the form says by which codec it is to be read, and some codecs fail in ways of their own
        raise HTTPException(400, "The form cannot be read.") from exc
