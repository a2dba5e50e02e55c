"""How do the add-on's pages look inside Jira? Takes the pictures of `docs/pictures`, each in the light and the dark theme.

It plays on a demo of its own (`sandbox.demo`) with always the same people. The add-on is driven as a person would, by its
pages and its API; what is on a picture is told in `_scenes`.
"""

import asyncio
import collections.abc
import contextlib
import dataclasses
import pathlib
from typing import Annotated, Any

import httpx
import typer
from playwright.async_api import (
    Browser,
    FilePayload,
    FloatRect,
    FrameLocator,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from sandbox import accounts, chrome, chromium, demo
from sandbox.troupe import POLL_S, DemoFailedError, Stage, Troupe, console, free_port, perform

THEMES = ("light", "dark")
WIDTH, HEIGHT, MARGIN = 1280, 800, 24  # pixels
MAX_BYTES = 150_000
PATIENCE_MS = 60_000
PEOPLE = 1400
POINTS_PER_HOUR = 65_000  # as in real life
COMPANIES: collections.abc.Mapping[str, tuple[str, ...]] = {
    "Northwind Traders": ("northwind.example", "nwt.example"),
    "Größe & Söhne GmbH": ("groesse.example",),
    "מפעלי הגליל": ("galil.example",),
    "Contoso": (),
}
MIA = {"displayName": "Mia Marple", "email": "mia@northwind.example", "timeZone": "Europe/Berlin"}
NADIA = {"displayName": "Nadia Nowak", "email": "nadia@nwt.example", "accountType": "customer"}
ISSUES = ("The printer in hall 3 is on fire", "Who signs the new contract?", "Der Lieferschein fehlt")
SHEET = (
    "Name;E-mail;Phone;Company;Met at\n"
    "Grace Hopper;grace@navy.example;+1 555 0100;Northwind Traders;Hannover Fair\n"
    "Мария Иванова;maria@galil.example;;מפעלי הגליל;Hannover Fair\n"
).encode()
ADMIN = {"displayName": "Ada Admin", "email": "ada@northwind.example", "timeZone": "Europe/Berlin"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Where the pictures are taken."""

    stage: Stage
    admin: demo.Admin
    browser: Browser
    folder: pathlib.Path

    async def hand(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.admin.client.request(method, f"{self.stage.site}/sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    @contextlib.asynccontextmanager
    async def visit(self, theme: str, path: str) -> collections.abc.AsyncIterator[Page]:
        """A page of the site, as the administrator sees it in this theme."""
        context = await self.browser.new_context(viewport=ViewportSize(width=WIDTH, height=HEIGHT))
        port = httpx.URL(self.stage.site).port
        await context.add_cookies([{"name": f"sandbox-theme-{port}", "value": theme, "url": self.stage.site}])
        page = await context.new_page()
        await page.goto(f"{self.stage.site}{path}")
        yield page
        await context.close()

    @contextlib.asynccontextmanager
    async def look(self, theme: str, module: str) -> collections.abc.AsyncIterator[tuple[Page, FrameLocator]]:
        """A page of the add-on's."""
        async with self.visit(theme, f"/plugins/servlet/ac/{demo.ADDON_KEY}/{module}") as page:
            await page.wait_for_selector("#module iframe[data-bridge=established]", timeout=PATIENCE_MS)
            yield page, page.frame_locator("#module iframe")

    async def take(self, page: Page, name: str, *, height: int = HEIGHT, below: str | None = None) -> None:
        """So much of a page of the add-on's, from its top or from an element of it on. Raises DemoFailedError."""
        frame = page.frame_locator("#module iframe")
        offset = await page.locator("#module").evaluate("module => module.getBoundingClientRect().top")
        content = await self.settle(page, "#module iframe")
        await page.set_viewport_size(ViewportSize(width=WIDTH, height=max(int(offset + content), HEIGHT)))
        await self.settle(page, "#module iframe")
        box = None if below is None else await frame.locator(below).bounding_box()
        top = 0 if box is None else box["y"] - MARGIN
        await self.save(page, name, top=top, height=min(height, max(offset + content, HEIGHT) - top))

    async def settle(self, page: Page, framed: str) -> int:
        """The height of a frame's content, once it waits for nothing and the frame is as high."""
        frame = page.frame_locator(framed)
        await frame.locator("body:not(:has([aria-busy=true]))").wait_for(timeout=PATIENCE_MS)
        content: int = await frame.locator(".ac-content").evaluate("content => content.scrollHeight")
        await page.wait_for_function(
            "([framed, height]) => document.querySelector(framed).getBoundingClientRect().height >= height",
            arg=[framed, content],
        )
        return content

    async def save(self, page: Page, name: str, *, top: float = 0, height: float = HEIGHT) -> None:
        """Raises DemoFailedError for a picture that is too large a file."""
        await page.mouse.move(0, 0)
        clip = FloatRect(x=0, y=top, width=WIDTH, height=height)
        picture = await page.screenshot(animations="disabled", caret="hide", clip=clip)
        if len(picture) > MAX_BYTES:
            raise DemoFailedError(f"{name}: {len(picture):,} bytes are more than {MAX_BYTES:,}")
        (self.folder / f"{name}.png").write_bytes(picture)
        console.print(f"{name}.png: {len(picture) // 1000} kB")


async def _prepare(studio: Studio) -> None:
    """People and records that show what the pages can do: long and foreign names, a company, a case to decide."""
    await studio.hand("PATCH", f"people/{accounts.WELL_KNOWN_ADMIN}", ADMIN)
    await studio.hand("PATCH", f"people/{accounts.WELL_KNOWN_MEMBER}", MIA)
    for name, email in (
        ("Adelheid-Friederike Gräfin von und zu Hohenzollern-Sigmaringen-Wittgenstein", "af@groesse.example"),
        ("Abigail Adams", "abigail@contoso.example"),
        ("Aaron Adler", "aaron@contoso.example"),
    ):
        await studio.hand("POST", "people", {"displayName": name, "email": email})
    companies = {}
    for name, domains in COMPANIES.items():
        made = await studio.admin.call("POST", "/api/companies", {"name": name, "domains": list(domains)})
        companies[name] = {"id": made["id"]}
    northwind = companies["Northwind Traders"]
    nadia = await studio.hand("POST", "people", NADIA)
    for issue in (
        {"reporterId": nadia["accountId"], "summary": ISSUES[0]},
        {"reporterId": nadia["accountId"], "summary": ISSUES[1]},
        {"reporterId": accounts.WELL_KNOWN_MEMBER, "summary": ISSUES[2], "status": "indeterminate"},
    ):
        await studio.hand("POST", "issues", issue)
    for contact in (
        {
            "name": "Mia",
            "email": MIA["email"],
            "phone": "+49 30 901820",
            "jobTitle": "Head of Purchasing",
            "company": northwind,
        },
        {"name": "Abigail A.", "email": "abigail@contoso.example", "company": companies["Contoso"]},
        {"name": "A. Adams", "email": "Abigail@Contoso.example", "phone": "+1 617 555 0100"},
        {"name": "Aziza Alaoui", "email": "aziza@northwind.example", "company": northwind},
        {"name": "אבי לוי", "email": "avi@galil.example", "company": companies["מפעלי הגליל"]},
    ):
        await studio.admin.call("POST", "/api/contacts", contact)


async def _scenes(studio: Studio) -> None:
    for theme in THEMES:
        async with studio.look(theme, "crm-settings") as (page, frame):
            if theme == THEMES[0]:
                await frame.get_by_role("button", name="Preview", exact=True).click()
            await expect(frame.locator("#preview-counts")).to_be_visible(timeout=PATIENCE_MS)
            await studio.take(page, f"preview-{theme}")
    await studio.admin.call("PUT", "/api/sync", {"enabled": True})
    for theme in THEMES:
        await _settings(studio, theme)
        await _contacts(studio, theme)
        await _companies(studio, theme)
        await _issues(studio, theme)


async def _settings(studio: Studio, theme: str) -> None:
    async with studio.look(theme, "crm-settings") as (page, frame):
        await expect(frame.locator("#sync-state")).to_contain_text("Idle", timeout=PATIENCE_MS)
        await expect(frame.locator("#filters-estimate")).not_to_contain_text("Counting")
        await studio.take(page, f"settings-{theme}", height=1110)
        await frame.get_by_role("searchbox", name="Search groups").first.focus()
        await expect(frame.locator("#choices-groups li").first).to_be_visible()
        await studio.take(page, f"filters-{theme}", height=1000, below="#filters-title")
        await frame.get_by_role("button", name="Changes").first.click()
        await frame.locator("#run-changes").get_by_label("Reason").select_option(label="Same email")
        await expect(frame.locator("#run-changes tbody")).not_to_contain_text("No contact had this email")
        await studio.take(page, f"history-{theme}", below="#history-title")


async def _contacts(studio: Studio, theme: str) -> None:
    async with studio.look(theme, "crm-contacts") as (page, frame):
        await studio.take(page, f"contacts-{theme}")
        await frame.get_by_role("button", name="Import").click()
        await frame.get_by_label("File").set_input_files(
            FilePayload(name="fair.csv", mimeType="text/csv", buffer=SHEET)
        )
        await frame.get_by_role("button", name="Continue").click()
        await expect(frame.get_by_role("heading", name="What do the columns mean?")).to_be_visible()
        await studio.take(page, f"import-{theme}", height=840)
        await frame.get_by_role("button", name="Cancel").click()
        await frame.get_by_label("Search").fill("mia@northwind")
        await frame.get_by_role("button", name="Mia Marple").click()
        await expect(frame.get_by_role("heading", name="Mia Marple")).to_be_visible()
        await studio.take(page, f"contact-{theme}", height=1200)


async def _companies(studio: Studio, theme: str) -> None:
    async with studio.look(theme, "crm-companies") as (page, frame):
        await studio.take(page, f"companies-{theme}")
        await frame.get_by_role("button", name="Northwind Traders").click()
        await expect(frame.get_by_role("heading", name="Northwind Traders")).to_be_visible()
        await studio.take(page, f"company-{theme}")


async def _issues(studio: Studio, theme: str) -> None:
    """The list is read again until the company is on its issues: Jira's own search is the proof of it."""
    path = chrome.link("/issues/", jql='Company = "Northwind Traders" ORDER BY created DESC')
    async with studio.visit(theme, path) as page, asyncio.timeout(PATIENCE_MS / 1000):
        while await page.locator("tbody tr").count() < len(ISSUES):
            await asyncio.sleep(POLL_S)
            await page.reload()
        await studio.save(page, f"issues-{theme}")
        await page.get_by_role("row").filter(has_text=ISSUES[0]).get_by_role("link").click()
        panel = page.frame_locator(".panel-frame iframe")
        await expect(panel.get_by_text(ISSUES[-1])).to_be_visible(timeout=PATIENCE_MS)
        await studio.settle(page, ".panel-frame iframe")
        await studio.save(page, f"issue-{theme}")
    async with studio.look(theme, "crm-company-rules") as (page, frame):
        await expect(frame.get_by_text("Up to date")).to_be_visible(timeout=PATIENCE_MS)
        await studio.take(page, f"rules-{theme}", height=1000)


async def play(troupe: Troupe, folder: pathlib.Path) -> None:
    """Everything from the first process to the last picture. Raises DemoFailedError."""
    executable = chromium.find()
    if executable is None:
        raise DemoFailedError(f"the pictures need a browser: {chromium.ADVICE}")
    stage = troupe.stage
    async with httpx.AsyncClient(timeout=30) as client, async_playwright() as started:
        await demo.raise_curtain(troupe, client, people=PEOPLE)
        browser = await started.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        studio = Studio(stage=stage, admin=demo.Admin(client=client, stage=stage), browser=browser, folder=folder)
        await studio.hand("POST", "install", {"descriptorUrl": f"{stage.addon}/atlassian-connect.json"})
        await _prepare(studio)
        await _scenes(studio)
        await browser.close()


def main(
    folder: Annotated[pathlib.Path, typer.Option()] = pathlib.Path("docs/pictures"),
    data_dir: Annotated[pathlib.Path, typer.Option()] = pathlib.Path(".data/pictures"),
) -> None:
    """Take the pictures of the documents anew."""
    folder.mkdir(parents=True, exist_ok=True)

    def build(emptied: pathlib.Path) -> Stage:
        return Stage(
            site=f"http://localhost:{free_port(9000)}",
            addon=f"http://localhost:{free_port(8080)}",
            data_dir=emptied,
            points_per_hour=POINTS_PER_HOUR,
        )

    perform(data_dir, build, lambda troupe: play(troupe, folder))


if __name__ == "__main__":
    typer.run(main)
