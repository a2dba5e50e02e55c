"""The cloud: which sites are there, and how do apps get onto them and off again? The only module that calls an app."""

import asyncio
import collections.abc
import dataclasses
import datetime as dt
import http
import secrets
import urllib.parse
import uuid
from typing import Any

import httpx

from sandbox import (
    descriptors,
    errors,
    handshake,
    installation,
    keys,
    metering,
    payload,
    person,
    places,
    reports,
    site,
    webhooks,
)
from sandbox import people as population

HOOK_TIMEOUT_S = 10.0
WEBHOOK_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
FAILED = (httpx.HTTPError, httpx.InvalidURL)
"""An app that cannot be asked, or whose answer nobody can read."""
MOVED_FROM = {
    installation.State.ENABLED: frozenset({installation.State.DISABLED}),
    installation.State.DISABLED: frozenset({installation.State.ENABLED}),
    installation.State.UNINSTALLED: frozenset(installation.State) - {installation.State.UNINSTALLED},
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one lifecycle call: `status` is None if the app did not answer at all."""

    site: str
    addon_key: str
    event: handshake.Event
    status: int | None

    @property
    def is_accepted(self) -> bool:
        return self.status in handshake.ACCEPTED_STATUSES


class Cloud:
    """Many sites and one key server. `client` reaches the apps; `now` is aware UTC; keys are made if none are given.

    `quota_per_hour` is what each app may spend on all sites together in a UTC hour; None is no limit.
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        now: collections.abc.Callable[[], dt.datetime] = site.utc_now,
        install_keys: keys.InstallKeys | None = None,
    ) -> None:
        self.client = client
        self.now = now
        self.keys = install_keys or keys.InstallKeys(f"{now():%Y-%m}/{secrets.token_hex(8)}.install")
        self.sites: dict[str, site.Site] = {}
        self.deliveries: list[Delivery] = []
        self.webhooks = webhooks.Queue()
        self.meter = metering.Meter()
        self.quota_per_hour: int | None = None

    def create_site(
        self,
        *,
        base_url: str,
        people: int = 300,
        seed: int = 1,
        customers_share: float = population.CUSTOMERS_SHARE,
        issues: int | None = None,
        organizations: int | None = None,
    ) -> site.Site:
        """A site with a generated population; the same arguments give the same people.

        `issues` is how many there are, None a few for each customer; with a number of `organizations` each customer is in
        one, and each has as many issues as the others.
        """
        netloc = urllib.parse.urlsplit(base_url).netloc.lower()
        identity = f"{base_url}#{seed}"
        created = site.Site(
            base_url=base_url,
            name=netloc.partition(".")[0],
            cloud_id=str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
            client_key=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{identity}/client")),
            now=self.now,
            seed=seed,
        )
        population.populate(
            created, people=people, seed=seed, customers_share=customers_share, organizations=organizations
        )
        if issues is None:
            reports.write(created, seed=seed)
        else:
            reports.write_many(created, seed=seed, count=issues)
        self.sites[netloc] = created
        return created

    def site_at(self, host: str) -> site.Site | None:
        """The site that answers under this `Host` header."""
        return self.sites.get(host.lower())

    async def install(self, on_site: site.Site, descriptor_url: str) -> installation.Installation:
        """The whole handshake. An app that does not accept `installed` stays *incomplete*.

        Raises descriptors.DescriptorError, and those of FAILED if the descriptor cannot be fetched.
        """
        response = await self.client.get(descriptor_url, timeout=HOOK_TIMEOUT_S)
        response.raise_for_status()
        descriptor = descriptors.check(_parse(response))
        key: str = descriptor["key"]
        before = on_site.installations.get(key)
        installed = installation.Installation(
            addon_key=key,
            client_key=on_site.client_key,
            shared_secret=secrets.token_urlsafe(48),
            descriptor=descriptor,
            descriptor_url=descriptor_url,
            state=installation.State.INCOMPLETE,
            base_url=str(descriptor["baseUrl"]).rstrip("/"),
            account_id=before.account_id if before else self._add_app_user(on_site, descriptor),
            oauth_client_id=before.oauth_client_id if before else secrets.token_urlsafe(24),
        )
        on_site.installations[key] = installed
        delivery = await self._notify(handshake.Event.INSTALLED, on_site, installed)
        if delivery is not None and delivery.is_accepted:
            return await self._move(handshake.Event.ENABLED, installation.State.ENABLED, on_site, key)
        return installed

    async def reinstall(self, on_site: site.Site, addon_key: str) -> installation.Installation:
        """The same client key and a new secret, with or without an `uninstalled` before."""
        return await self.install(on_site, on_site.installations[addon_key].descriptor_url)

    async def reimport(self, on_site: site.Site, addon_key: str) -> installation.Installation:
        """What a site import does: a new client key for the same address, and no `uninstalled` for the old one."""
        on_site.client_key = str(uuid.uuid4())
        return await self.reinstall(on_site, addon_key)

    async def enable(self, on_site: site.Site, addon_key: str) -> installation.Installation:
        """Raises errors.Refusal, a 409, for an app that is not disabled."""
        _demand_move(on_site.installations[addon_key], installation.State.ENABLED)
        return await self._move(handshake.Event.ENABLED, installation.State.ENABLED, on_site, addon_key)

    async def disable(self, on_site: site.Site, addon_key: str) -> installation.Installation:
        """Raises errors.Refusal, a 409, for an app that is not enabled."""
        _demand_move(on_site.installations[addon_key], installation.State.DISABLED)
        return await self._move(handshake.Event.DISABLED, installation.State.DISABLED, on_site, addon_key)

    async def uninstall(self, on_site: site.Site, addon_key: str) -> installation.Installation:
        """Told once and never again, whatever the app answers. Raises errors.Refusal, a 409, for one that is gone already."""
        _demand_move(on_site.installations[addon_key], installation.State.UNINSTALLED)
        return await self._move(handshake.Event.UNINSTALLED, installation.State.UNINSTALLED, on_site, addon_key)

    async def deliver(self, *, at_once: int = 1) -> list[webhooks.Attempt]:
        """Send every webhook that is due now, at most `at_once` of them at the same time; what fails may wait for a retry."""
        for of_site in self.sites.values():
            of_site.tasks.settle(self.now())
            self.webhooks.collect(of_site)
        turns = asyncio.Semaphore(at_once)
        due = self.webhooks.take_due(self.now())
        tried = await asyncio.gather(*(self._post(each, turns) for each in due))
        return [attempt for attempt in tried if attempt is not None]

    async def _post(self, posting: webhooks.Posting, turns: asyncio.Semaphore) -> webhooks.Attempt | None:
        """None for an app that is not there any more; it gets nothing."""
        async with turns:
            installed = posting.site.installations[posting.addon_key]
            if installed.state is not installation.State.ENABLED:
                return None
            token = handshake.sign_call(installed, posting.path, self.now())
            try:
                response = await self.client.post(
                    installed.base_url + posting.path,
                    content=posting.body.encode(),
                    headers={
                        **posting.headers,
                        "Authorization": f"JWT {token}",
                        "Content-Type": "application/json; charset=UTF-8",
                    },
                    timeout=WEBHOOK_TIMEOUT,
                )
                status: int | None = response.status_code
            except FAILED:
                status = None
            return self.webhooks.settle(posting, status, self.now())

    async def _move(
        self, event: handshake.Event, state: installation.State, on_site: site.Site, addon_key: str
    ) -> installation.Installation:
        moved = dataclasses.replace(on_site.installations[addon_key], state=state)
        on_site.installations[addon_key] = moved
        await self._notify(event, on_site, moved)
        return moved

    async def _notify(
        self, event: handshake.Event, on_site: site.Site, installed: installation.Installation
    ) -> Delivery | None:
        hook = handshake.build_hook(event, on_site, installed, install_keys=self.keys, now=self.now())
        if hook is None:
            return None
        try:
            response = await self.client.post(
                hook.url, json=hook.body, headers={"Authorization": f"JWT {hook.token}"}, timeout=HOOK_TIMEOUT_S
            )
            status: int | None = response.status_code
        except FAILED:
            status = None
        delivery = Delivery(site=on_site.base_url, addon_key=installed.addon_key, event=event, status=status)
        self.deliveries.append(delivery)
        return delivery

    def _add_app_user(self, on_site: site.Site, descriptor: collections.abc.Mapping[str, Any]) -> str:
        app_user = person.Person(
            account_id=f"557058:{uuid.uuid4()}",
            account_type=person.AccountType.APP,
            display_name=str(descriptor.get("name", descriptor["key"])),
        )
        licence = on_site.licence_group_id(site.PRODUCTS[0])
        groups = [
            group.group_id
            for group in on_site.groups.values()
            if group.name == places.ADDONS_GROUP or group.group_id == licence
        ]
        return on_site.add_person(app_user, group_ids=groups).account_id


def _demand_move(present: installation.Installation, state: installation.State) -> None:
    if present.state not in MOVED_FROM[state]:
        raise errors.Refusal(
            f"The app {present.addon_key} is {present.state} and cannot become {state}.",
            status=http.HTTPStatus.CONFLICT,
        )


def _parse(response: httpx.Response) -> object:
    try:
        return payload.read(response.content)
    except ValueError as exc:
        raise descriptors.DescriptorError("the descriptor is not JSON") from exc
