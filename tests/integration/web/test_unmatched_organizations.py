"""The page of the company rules names organizations whose company is not clear."""

from tests.integration.web.desk import NOW, Desk
from tests.integration.web.html import read

PAGE = "/pages/company-rules"
TWIN = "<li><bdi>Twin</bdi></li>"


async def add_organizations(desk: Desk, name: str, first: int, last: int) -> None:
    """With these ids, as if they had been read."""
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO organization (tenant_id, organization_id, name, name_key, read_at)
            SELECT :tenant_id, CAST(number AS text), :name, lower(:name), :now
            FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS number
            """,
            name=name,
            first=first,
            last=last,
            now=NOW,
        )


async def test_organizations_that_several_companies_could_be_are_named(acme: Desk, globex: Desk) -> None:
    for name in ("Twin", "Twin"):
        await acme.make_company(name=name)
    await add_organizations(acme, "Twin", 7, 7)
    await add_organizations(acme, "Alone", 8, 8)
    text = read(await acme.page(PAGE))
    assert TWIN in text
    assert "<li><bdi>Alone</bdi></li>" not in text
    assert "Organizations without a company" not in read(await globex.page(PAGE))


async def test_organizations_that_are_not_shown_are_counted(acme: Desk, globex: Desk) -> None:
    for desk, last in ((acme, 301), (globex, 21)):
        for name in ("Twin", "Twin"):
            await desk.make_company(name=name)
        await add_organizations(desk, "Twin", 1, last)
    for desk, more in ((acme, 281), (globex, 1)):
        text = read(await desk.page(PAGE))
        assert text.count(TWIN) == 20
        assert f"And {more} more." in text
