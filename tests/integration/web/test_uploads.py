"""How a file of contacts reaches us: which forms are taken, whatever they call it, and which are refused at once."""

import httpx
import pytest

from tests.integration.web import contract, importer
from tests.integration.web.desk import Desk
from tests.integration.web.importer import PATH


async def send(desk: Desk, name: bytes, *, charset: str) -> httpx.Response:
    """A form as no browser writes it."""
    part = b'Content-Disposition: form-data; name="file"; filename="' + name + b'"'
    headers = {
        "Authorization": f"JWT {desk.token()}",
        "Content-Type": f"multipart/form-data; boundary=B; charset={charset}",
    }
    content = b"--B\r\n" + part + b"\r\n\r\nname\nAda\n\r\n--B--\r\n"
    answer = await desk.http.post(PATH, content=content, headers=headers)
    contract.check(answer)
    return answer


@pytest.mark.parametrize(
    ("name", "charset", "kept"),
    [
        (b"a\x00b.csv", "utf-8", "ab.csv"),
        (rb"a\\ud800.csv", "unicode_escape", "a.csv"),
        (b"\x00", "utf-8", ""),
    ],
)
async def test_name_of_a_file_is_kept_as_far_as_it_can_be(
    acme: Desk, globex: Desk, name: bytes, charset: str, kept: str
) -> None:
    for site in (acme, globex):
        answer = await send(site, name, charset=charset)
        assert (answer.status_code, answer.json()["fileName"]) == (201, kept)


@pytest.mark.parametrize("charset", ["punycode", "undefined"])
async def test_form_that_cannot_be_read_is_refused(acme: Desk, charset: str) -> None:
    answer = await send(acme, rb"a\\ud800.csv", charset=charset)
    assert (answer.status_code, answer.json()["detail"]) == (400, "The form cannot be read.")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n", "does not begin"),
        (b"PK\x03\x04\x00\x00\x00\x08", "is not a CSV file"),
        (b"name\n" + b"\x81\x8d" * 20, "is not written in WINDOWS-1252"),
    ],
)
async def test_file_that_is_no_sheet_is_refused_at_once(acme: Desk, raw: bytes, problem: str) -> None:
    answer = await acme.call("POST", PATH, file=("people.csv", raw))
    assert answer.status_code == 422
    [found] = answer.json()["errors"]
    assert found["field"] == "file"
    assert problem in found["problem"]


async def test_form_without_a_file_is_refused(acme: Desk) -> None:
    answer = await acme.call("POST", PATH, form={"encoding": "utf-8"}, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415
    answer = await acme.call("POST", PATH, file=("", b"name\n"), form={"encoding": "utf-8"})
    assert answer.status_code in {400, 422}


async def test_character_set_may_be_said_with_the_file(acme: Desk) -> None:
    raw = "name,company\n表示,ソニー\n".encode("cp932")
    assert (await acme.call("POST", PATH, file=("people.csv", raw))).status_code == 422
    refused = await acme.call("POST", PATH, file=("people.csv", raw), form={"encoding": "ebcdic"})
    assert [each["field"] for each in refused.json()["errors"]] == ["encoding"]
    made = await importer.bring(acme, raw, encoding="cp932")
    checked = await importer.check(acme, made)
    await importer.write(acme, checked)
    assert [each["name"] for each in await importer.contacts(acme)] == ["表示"]
