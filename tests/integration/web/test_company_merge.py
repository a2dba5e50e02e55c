"""Companies that become one, whose company a contact has and why, and the ties that a person decides."""

import json

from addon.sync.people import Cause
from tests.integration.web.desk import MEMBER, NOW, Desk, People
from tests.integration.web.html import fragment, read

EVIL = '<img src=x onerror="alert(1)">'


async def follow(desk: Desk, company_id: str, organization_id: str, name: str) -> None:
    """As the rules do: the company is the organization's."""
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO organization (tenant_id, organization_id, name, name_key, read_at)
            VALUES (:tenant_id, :organization_id, :name, lower(:name), :now)
            """,
            organization_id=organization_id,
            name=name,
            now=NOW,
        )
        await scope.execute(
            """
            UPDATE company SET organization_id = :organization_id, organization_name = :name
            WHERE tenant_id = :tenant_id AND company_id = :company_id
            """,
            company_id=int(company_id),
            organization_id=organization_id,
            name=name,
        )


async def assign(desk: Desk, contact_id: str, company_id: str, rule: str) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            UPDATE contact SET company_id = :company_id, company_by = :rule
            WHERE tenant_id = :tenant_id AND contact_id = :contact_id
            """,
            contact_id=int(contact_id),
            company_id=int(company_id),
            rule=rule,
        )


async def tie(desk: Desk, contact_id: str, *company_ids: str) -> None:
    """As the rules leave a contact that several companies fit."""
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO attention (tenant_id, kind, account_id, contact_id, company_ids, since)
            VALUES (:tenant_id, 'company-tie', '', :contact_id, CAST(:company_ids AS bigint[]), :now)
            """,
            contact_id=int(contact_id),
            company_ids=[int(company_id) for company_id in company_ids],
            now=NOW,
        )


async def jobs(desk: Desk) -> set[str]:
    """What waits in the queue for this site."""
    async with desk.database.pool.connection() as connection:
        rows = await connection.fetch_all("SELECT dedupe_key FROM pgqueuer")
    keys = [row["dedupe_key"].split(":") for row in rows]
    return {kind for kind, tenant_id, _ in keys if tenant_id == str(desk.tenant.tenant_id)}


async def test_change_of_a_contact_calls_the_rules(acme: Desk, globex: Desk) -> None:
    contact = await acme.make_contact(email="ada@acme.com")
    assert await jobs(acme) == {"companies"}
    assert await jobs(globex) == set()
    await globex.make_company(name="Nobody's")
    assert await jobs(globex) == set(), "a company without contacts changes nothing"
    company = await acme.make_company()
    await acme.link(contact["id"], "a1")
    edited = await acme.call(
        "PATCH", f"/api/contacts/{contact['id']}", json={"version": 1, "company": {"id": company["id"]}}
    )
    assert edited.status_code == 200
    assert await jobs(acme) == {"companies", "issues"}, "the reporter's issues show another company"


async def test_companies_merge_with_contacts_and_domains(acme: Desk, globex: Desk) -> None:
    gone = await acme.make_company(name="Acme GmbH", domains=["acme.de", "acme.example"])
    kept = await acme.make_company(name="Acme", domains=["acme.com"])
    people = [await acme.make_contact(name=name, company={"id": gone["id"]}) for name in ("Ada", "Bob")]
    theirs = await globex.make_company(name="Acme")
    path = f"/api/companies/{gone['id']}/merge"
    for into in (theirs["id"], gone["id"], "x", None):
        refused = await acme.call("POST", path, json={"intoCompanyId": into})
        assert refused.status_code in {404, 422}, into
    assert (await acme.call("POST", path, json={"intoCompanyId": kept["id"], "more": 1})).status_code == 422
    assert (await globex.call("POST", path, json={"intoCompanyId": theirs["id"]})).status_code == 404
    assert (await acme.get(f"/api/companies/{gone['id']}"))["contacts"] == 2, "nothing is half done"
    merged = await acme.call("POST", path, json={"intoCompanyId": kept["id"]})
    assert merged.status_code == 200
    assert (merged.json()["contacts"], merged.json()["domains"]) == (2, ["acme.com", "acme.de", "acme.example"])
    assert (await acme.call("GET", f"/api/companies/{gone['id']}")).status_code == 404
    for contact in people:
        found = await acme.get(f"/api/contacts/{contact['id']}")
        assert (found["company"]["name"], found["companyBy"]) == ("Acme", "person")
    assert (await globex.get(f"/api/companies/{theirs['id']}"))["contacts"] == 0


async def test_companies_of_two_organizations_do_not_merge(acme: Desk) -> None:
    gone, kept = await acme.make_company(name="One"), await acme.make_company(name="Two")
    await follow(acme, gone["id"], "1", "One")
    await follow(acme, kept["id"], "2", "Two")
    answer = await acme.call("POST", f"/api/companies/{gone['id']}/merge", json={"intoCompanyId": kept["id"]})
    assert answer.status_code == 422
    assert (await acme.get(f"/api/companies/{gone['id']}"))["organizationId"] == "1"


async def test_card_finds_a_company_to_merge_into_and_asks(acme: Desk, globex: Desk) -> None:
    gone = await acme.make_company(name=EVIL)
    kept = await acme.make_company(name="Acme & Co", domains=["acme.com"])
    await globex.make_company(name="Acme elsewhere")
    for name in ("Ada", "Bob"):
        await acme.make_contact(name=name, company={"id": gone["id"]})
    path = f"companies/{gone['id']}"
    assert "Merge into another company" in await fragment(acme, "GET", path)
    assert "candidate" not in await fragment(acme, "GET", f"{path}/merge", params={"merge-query": ""})
    found = await fragment(acme, "GET", f"{path}/merge", params={"merge-query": "acme"})
    assert "Acme &amp; Co" in found
    assert "acme.com" in found
    assert "Its 2 contacts and its email domains move there" in found
    assert EVIL not in found
    assert "elsewhere" not in found
    assert "No other company fits" in await fragment(acme, "GET", f"{path}/merge", params={"merge-query": "img"})
    answer = await acme.call("POST", f"/api/fragments/{path}/merge", form={"intoCompanyId": kept["id"]})
    assert json.loads(answer.headers["hx-trigger"]) == {"crm:notice": "Companies merged"}
    text = read(answer)
    assert "Acme &amp; Co</h1>" in text
    assert "Ada" in text
    assert (await acme.call("GET", f"/api/fragments/{path}/merge")).status_code == 404


async def test_member_of_a_named_group_merges_companies(acme: Desk, people: People) -> None:
    gone, kept = await acme.make_company(name="One"), await acme.make_company(name="Two")
    path = f"/api/companies/{gone['id']}/merge"
    member = acme.as_person(MEMBER)
    assert (await member.call("POST", path, json={"intoCompanyId": kept["id"]})).status_code == 403
    await acme.call("PUT", "/api/sync", json={"crmGroups": ["g1"]})
    people.groups[acme.tenant.tenant_id, MEMBER] = frozenset({"g1"})
    assert (await member.call("POST", path, json={"intoCompanyId": kept["id"]})).status_code == 200


async def test_card_names_the_organization_that_the_company_follows(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company(name="Acme")
    assert "Follows the organization" not in await fragment(acme, "GET", f"companies/{company['id']}")
    await follow(acme, company["id"], "7", f"Acme {EVIL}")
    text = await fragment(acme, "GET", f"companies/{company['id']}")
    assert "Follows the organization <bdi>Acme &lt;img" in text
    assert (await acme.get(f"/api/companies/{company['id']}"))["organizationId"] == "7"
    theirs = await globex.make_company(name="Acme")
    assert "Follows the organization" not in await fragment(globex, "GET", f"companies/{theirs['id']}")


async def test_contact_says_why_it_has_its_company(acme: Desk) -> None:
    company = await acme.make_company()
    contact = await acme.make_contact()
    assert contact["companyBy"] is None
    path = f"contacts/{contact['id']}"
    assert 'id="company-by"' not in await fragment(acme, "GET", path)
    for rule, words in (
        ("organization", "Found by its service-management organization"),
        ("domain", "Found by its email domain"),
    ):
        await assign(acme, contact["id"], company["id"], rule)
        text = await fragment(acme, "GET", path)
        assert words in text
        assert "Let the rules choose" not in text
        assert (await acme.get(f"/api/{path}"))["companyBy"] == rule


async def test_person_takes_their_word_back(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company()
    made = await acme.make_contact(company={"id": company["id"]})
    path = f"contacts/{made['id']}"
    text = await fragment(acme, "GET", path)
    assert "Chosen by a person" in text
    assert "Let the rules choose" in text
    emptied = await acme.call("PATCH", f"/api/{path}", json={"version": 1, "company": None})
    assert emptied.json()["companyBy"] == "person", "that there is none is a choice, too"
    assert "Let the rules choose" in await fragment(acme, "GET", path)
    choosing = f"/api/fragments/{path}/let-rules-choose"
    assert (await acme.call("POST", choosing, form={"version": "1"})).json()["code"] == "stale-version"
    for version in ("", "x"):
        assert (await acme.call("POST", choosing, form={"version": version})).status_code == 422
    assert (await globex.call("POST", choosing, form={"version": "2"})).status_code == 404
    answer = await acme.call("POST", choosing, form={"version": "2"})
    assert "Let the rules choose" not in read(answer)
    assert (await acme.get(f"/api/{path}"))["companyBy"] is None


async def test_history_tells_of_companies(acme: Desk) -> None:
    contact = await acme.make_contact()
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        for cause in (Cause.BY_ORGANIZATION, Cause.BY_DOMAIN, Cause.COMPANY_UNDONE):
            await scope.execute(
                """
                INSERT INTO change (tenant_id, contact_id, field, old, new, cause, at)
                VALUES (:tenant_id, :contact_id, 'company', 'Old & Co', NULL, :cause, :now)
                """,
                contact_id=int(contact["id"]),
                cause=cause.value,
                now=NOW,
            )
    text = await fragment(acme, "GET", f"contacts/{contact['id']}/changes", params={"field": "company"})
    for words in ("The company of its organization", "The company of its email domain", "A rule was taken back"):
        assert f"<td>{words}</td>" in text
    assert text.count("Old &amp; Co") == 3


async def test_tie_is_shown_and_decided(acme: Desk, globex: Desk) -> None:
    await acme.turn(on=True)
    await globex.turn(on=True)
    companies = [await acme.make_company(name=name, domains=["acme.com"]) for name in (f"One {EVIL}", "Two")]
    other = await acme.make_company(name="Third")
    contact = await acme.make_contact(name=EVIL, email="ada@acme.com")
    await tie(acme, contact["id"], *(company["id"] for company in companies))
    text = await fragment(acme, "GET", "sync/attention")
    assert EVIL not in text
    for words in ("Several companies fit", "One &lt;img", "Two", "ada@acme.com", "Dismiss"):
        assert words in text
    assert "Third" not in text
    assert "Nothing waits for a decision" in await fragment(globex, "GET", "sync/attention")
    (item,) = (await acme.get("/api/attention"))["values"]
    assert (item["kind"], item["account"]) == ("company-tie", None)
    assert [each["id"] for each in item["candidates"]] == [contact["id"]]
    assert [each["id"] for each in item["companies"]] == [each["id"] for each in companies]
    path = f"/api/attention/{item['id']}"
    for refused in (
        {"action": "link"},
        {"action": "link", "companyId": other["id"]},
        {"action": "link", "companyId": "x"},
        {"action": "link", "contactId": contact["id"]},
        {"action": "create"},
    ):
        assert (await acme.call("POST", path, json=refused)).status_code == 422, refused
    assert (await globex.call("POST", path, json={"action": "dismiss"})).status_code == 404
    chosen = {"action": "link", "companyId": companies[1]["id"]}
    answer = await acme.call("POST", f"/api/fragments/sync/attention/{item['id']}", form=chosen)
    assert json.loads(answer.headers["hx-trigger"]) == {"crm:notice": "Company chosen"}
    assert "Nothing waits for a decision" in read(answer)
    found = await acme.get(f"/api/contacts/{contact['id']}")
    assert (found["company"]["name"], found["companyBy"]) == ("Two", "person")


async def test_tie_is_dismissed(acme: Desk) -> None:
    await acme.turn(on=True)
    companies = [await acme.make_company(name=name, domains=["acme.com"]) for name in ("One", "Two")]
    contact = await acme.make_contact(email="ada@acme.com")
    await tie(acme, contact["id"], *(company["id"] for company in companies))
    (item,) = (await acme.get("/api/attention"))["values"]
    assert (await acme.call("POST", f"/api/attention/{item['id']}", json={"action": "dismiss"})).status_code == 204
    assert (await acme.get("/api/attention"))["values"] == []
    assert (await acme.get(f"/api/contacts/{contact['id']}"))["company"] is None
