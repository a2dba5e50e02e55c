from tests.integration.sandbox.conftest import World

MEMBERS = "/rest/api/3/group/member?groupname=jira-software-users"


async def test_path_fails_as_often_as_told_and_then_recovers(world: World) -> None:
    site, other = world.sites
    browser, client, other_client = await world.browser(site), await world.client(site), await world.client(other)
    interruption = {"pathPrefix": "/rest/api/3/group/member", "status": 503, "times": 2, "retryAfterSeconds": 7}
    told = await browser.patch("/sandbox/faults", json={"interruptions": [interruption]})
    assert told.json()["interruptions"] == [{**interruption, "body": None}]
    answers = [await client.get(MEMBERS) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["errorMessages"]
    assert (await other_client.get(MEMBERS)).status_code == 200


async def test_garbage_comes_with_status_200_until_it_is_ended(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    garbage = {"pathPrefix": "/rest/", "status": 200, "times": None, "body": "<html>Maintenance</html>"}
    await browser.patch("/sandbox/faults", json={"interruptions": [garbage]})
    for _ in range(3):
        answer = await client.get(MEMBERS)
        assert (answer.status_code, answer.text) == (200, "<html>Maintenance</html>")
        assert answer.headers["content-type"].startswith("text/html")
    await browser.patch("/sandbox/faults", json={"healthy": True})
    assert (await client.get(MEMBERS)).json()["values"]


async def test_jsm_fails_in_its_own_words(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    await browser.patch("/sandbox/faults", json={"interruptions": [{"pathPrefix": "/rest/servicedeskapi"}]})
    answer = await client.get("/rest/servicedeskapi/organization")
    assert (answer.status_code, "errorMessage" in answer.json()) == (503, True)


async def test_email_api_is_switched_for_the_site(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    path = f"/rest/api/3/user/email/bulk?accountId={site.admin_id}"
    for state, status in (("disabled", 503), ("not-approved", 400), ("approved", 200)):
        told = await browser.patch("/sandbox/faults", json={"emailApi": state})
        assert told.json()["emailApi"] == state
        assert (await client.get(path)).status_code == status


async def test_switches_stay_until_they_are_set_again(world: World) -> None:
    browser = await world.browser(world.sites[0])
    await browser.patch("/sandbox/faults", json={"fallbackUsers": True})
    told = (await browser.patch("/sandbox/faults", json={"shortPages": False})).json()
    assert (told["fallbackUsers"], told["shortPages"]) == (True, False)
    healthy = (await browser.patch("/sandbox/faults", json={"healthy": True})).json()
    assert (healthy["fallbackUsers"], healthy["shortPages"]) == (False, True)
