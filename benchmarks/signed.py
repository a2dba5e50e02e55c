"""What do a browser and a site send the add-on? Requests with real tokens, as bytes for `load`."""

from addon import app
from benchmarks import load
from benchmarks.stage import Tenant
from sandbox import frame, handshake
from sandbox.accounts import WELL_KNOWN_ADMIN


def page(tenant: Tenant, path: str) -> bytes:
    """The address of a frame, for the site's administrator. Good for three minutes."""
    url = frame.sign_frame_url(
        tenant.installed,
        module_key="benchmark",
        module_url=path,
        account_id=WELL_KNOWN_ADMIN,
        site_url=tenant.base_url,
        context={},
        now=app.now(),
    )
    return load.build_request("GET", url)


def api(tenant: Tenant, path: str) -> bytes:
    """A call of our page's script. Good for fifteen minutes."""
    token = frame.sign_session_token(tenant.installed, account_id=WELL_KNOWN_ADMIN, now=app.now())
    return load.build_request("GET", tenant.installed.base_url + path, headers={"Authorization": f"JWT {token}"})


def webhook(tenant: Tenant, path: str, body: bytes) -> bytes:
    """An event of the site's, without its identifier: a line `X-Atlassian-Webhook-Identifier` is for the caller to fill in."""
    token = handshake.sign_call(tenant.installed, path, app.now())
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"JWT {token}",
        "X-Atlassian-Webhook-Identifier": IDENTIFIER.decode("ascii"),
    }
    return load.build_request("POST", tenant.installed.base_url + path, headers=headers, body=body)


IDENTIFIER = b"benchmark-0000000000"
