"""What load balancers, Prometheus and the Atlassian Marketplace ask for."""

import httpx

from addon.storage.database import Database
from addon.web.deps import WebDeps
from tests.integration.web import desk
from tests.integration.web.desk import BASE_URL, Desk


async def test_descriptor_is_served_as_it_is(http: httpx.AsyncClient, deps: WebDeps) -> None:
    assert (await http.get("/atlassian-connect.json")).json() == deps.descriptor


async def test_ready_while_database_and_queue_answer(http: httpx.AsyncClient) -> None:
    assert (await http.get("/readyz")).status_code == 200


async def test_unready_and_busy_but_healthy_without_a_database(acme: Desk, database: Database) -> None:
    await database.disconnect()
    try:
        unready = await acme.http.get("/readyz")
        assert (unready.status_code, unready.json()["code"]) == (503, "busy")
        assert (await acme.http.get("/healthz")).status_code == 200
    finally:
        await database.connect()


async def test_metrics_are_for_this_machine_alone(deps: WebDeps) -> None:
    for address, status in (("127.0.0.1", 200), ("::1", 200), ("10.0.0.1", 404), ("unix", 404)):
        transport = httpx.ASGITransport(desk.build_app(deps), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            assert (await client.get("/metrics")).status_code == status


async def test_static_files_are_served_and_cached(http: httpx.AsyncClient) -> None:
    for name, media_type, wanted in (
        ("app.css", "text/css", "bytes=5-1"),
        ("app.js", "text/javascript", "lines=1"),
        ("htmx.min.js", "text/javascript", "bytes=99999999-"),
    ):
        part = await http.get(f"/static/{name}", headers={"Range": wanted})
        answer = await http.get(f"/static/{name}")
        assert part.content == answer.content
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["cache-control"] == "public, max-age=300"
    assert (await http.get("/static/../routes.py")).status_code == 404
    assert (await http.get("/static/nothing.js")).status_code == 404
