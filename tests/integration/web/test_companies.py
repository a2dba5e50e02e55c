"""Companies over the JSON API."""

import pytest

from tests.integration.web.desk import Desk
from tests.integration.web.html import fragment


async def test_create_normalizes_domains(acme: Desk, globex: Desk) -> None:
    made = await acme.make_company(domains=["@Münch.DE", "acme.com.", "ACME.com"], organizationId="7")
    assert made["domains"] == ["acme.com", "xn--mnch-0ra.de"]
    assert (made["organizationId"], made["contacts"], made["version"]) == ("7", 0, 1)
    assert await acme.get(f"/api/companies/{made['id']}") == made
    assert (await globex.call("GET", f"/api/companies/{made['id']}")).status_code == 404


async def test_create_with_many_faults_names_all_at_once(acme: Desk) -> None:
    body = {"name": "", "domains": ["ok.com", "no domain", "10.0.0.1", "localhost"], "organizationId": 7, "version": 1}
    answer = await acme.call("POST", "/api/companies", json=body)
    assert answer.status_code == 422
    fields = {problem["field"] for problem in answer.json()["errors"]}
    assert fields == {"name", "domains[1]", "domains[2]", "domains[3]", "organizationId", "version"}


async def test_edit_replaces_domains_and_needs_the_version(acme: Desk) -> None:
    made = await acme.make_company(domains=["a.com", "b.com"])
    path = f"/api/companies/{made['id']}"
    edited = (await acme.call("PATCH", path, json={"version": 1, "domains": ["c.com"]})).json()
    assert (edited["name"], edited["domains"], edited["version"]) == ("Acme", ["c.com"], 2)
    assert (await acme.call("PATCH", path, json={"version": 1, "name": "x"})).json()["code"] == "stale-version"
    renamed = (await acme.call("PATCH", path, json={"version": 2, "name": "New"})).json()
    assert (renamed["name"], renamed["domains"]) == ("New", ["c.com"])


async def test_one_organization_belongs_to_one_company(acme: Desk, globex: Desk) -> None:
    await acme.make_company(organizationId="7")
    await globex.make_company(organizationId="7")
    answer = await acme.call("POST", "/api/companies", json={"name": "Other", "organizationId": "7"})
    assert answer.status_code == 422
    other = await acme.make_company(name="Other")
    body = {"version": 1, "organizationId": "7"}
    assert (await acme.call("PATCH", f"/api/companies/{other['id']}", json=body)).status_code == 422


async def test_delete_leaves_its_contacts_without_a_company(acme: Desk) -> None:
    company = await acme.make_company()
    contact = await acme.make_contact(company={"id": company["id"]})
    assert (await acme.get(f"/api/companies/{company['id']}"))["contacts"] == 1
    assert (await acme.call("DELETE", f"/api/companies/{company['id']}")).status_code == 204
    left = await acme.get(f"/api/contacts/{contact['id']}")
    assert (left["company"], left["version"]) == (None, 2)
    assert (await acme.call("DELETE", f"/api/companies/{company['id']}")).status_code == 404


async def test_list_searches_names_and_domains_in_pages(acme: Desk, globex: Desk) -> None:
    await globex.make_company(name="Globex")
    for name, domain in (("Beta", "b.example"), ("alpha", "a.example"), ("Gamma", "g.test")):
        await acme.make_company(name=name, domains=[domain])
    first = await acme.get("/api/companies", limit=2)
    assert [company["name"] for company in first["values"]] == ["alpha", "Beta"]
    rest = await acme.get("/api/companies", limit=2, cursor=first["next"])
    assert ([company["name"] for company in rest["values"]], rest["next"]) == (["Gamma"], None)
    found = await acme.get("/api/companies", query="EXAMPLE", sort="-name")
    assert [company["name"] for company in found["values"]] == ["Beta", "alpha"]
    assert [c["name"] for c in (await acme.get("/api/companies", query="gam"))["values"]] == ["Gamma"]


FOUND = {
    "münchen.de": ["Isar"],
    "MÜNCHEN.d": ["Isar"],
    "xn--mnchen": ["Isar"],
    "@isar.example": ["Isar"],
    " @münchen.de. ": ["Isar"],
    "@hand": ["@hand"],
    "@": ["@hand"],
    "\u0301": [],
    "%": [],
    " ": ["@hand", "Isar", "Oder"],
}


async def test_company_is_found_by_a_domain_as_it_was_typed(acme: Desk, globex: Desk) -> None:
    await globex.make_company(name="@hand", domains=["münchen.de"])
    await acme.make_company(name="Isar", domains=["münchen.de", "isar.example"])
    await acme.make_company(name="Oder", domains=["oder.example"])
    await acme.make_company(name="@hand")
    for query, names in FOUND.items():
        found = await acme.get("/api/companies", query=query)
        assert [company["name"] for company in found["values"]] == names, query


async def test_pages_show_domains_in_the_letters_they_stand_for(acme: Desk) -> None:
    made = await acme.make_company(domains=["münchen.de"])
    other = await acme.make_company(name="Other")
    card = await fragment(acme, "GET", f"companies/{made['id']}")
    assert ">münchen.de</textarea>" in card
    assert "<td>münchen.de</td>" in await fragment(acme, "GET", "companies")
    merging = await fragment(acme, "GET", f"companies/{other['id']}/merge", params={"merge-query": "acme"})
    assert "<bdi>münchen.de</bdi>" in merging
    form = {"version": "1", "name": "Acme", "domains": "münchen.de"}
    await fragment(acme, "PATCH", f"companies/{made['id']}", form=form)
    assert (await acme.get(f"/api/companies/{made['id']}"))["domains"] == ["xn--mnchen-3ya.de"]
    await acme.call("PUT", "/api/sync", json={"filters": {"emailDomains": ["münchen.de"]}})
    assert ">münchen.de</textarea>" in (await acme.page("/pages/settings")).text


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_another_site_cannot_touch_a_company(acme: Desk, globex: Desk, method: str) -> None:
    made = await acme.make_company()
    body = {"version": 1, "name": "x"} if method == "PATCH" else None
    assert (await globex.call(method, f"/api/companies/{made['id']}", json=body)).status_code == 404
    assert await acme.get(f"/api/companies/{made['id']}") == made
