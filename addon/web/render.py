"""How does HTML leave the house? Jinja2 templates, escaped by default, and the policy under which a page may run.

Knows no data: the views say what is shown. Pages and fragments use the same templates, so that a first paint and a
later swap look the same.
"""

import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from addon.crm import company
from addon.web import texts, vocabulary, words
from lifecycle.tenant import Tenant

TEMPLATES = Path(__file__).parent / "templates"
ATLASSIAN_CDN = "https://connect-cdn.atl-paas.net"  # the bridge loads the themes' styles and fonts from here
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


def page(
    request: Request, name: str, context: Mapping[str, Any], *, tenant: Tenant, host_script_url: str
) -> HTMLResponse:
    """A whole document for a frame in the tenant's site."""
    html = ENVIRONMENT.get_template(name).render(**context, root=_root(request), host_script_url=host_script_url)
    policy = _base_policy(host_script_url) | {
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'self'",
        "frame-ancestors": frame_ancestors(tenant),
    }
    return HTMLResponse(html, headers={"Content-Security-Policy": _write_policy(policy)})


def fragment(name: str, context: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A part of a page, to be put in place by htmx."""
    return HTMLResponse(ENVIRONMENT.get_template(name).render(**context), headers=dict(headers or {}))


def error_page(
    request: Request, title: str, detail: str, *, status: int, is_passing: bool, headers: Mapping[str, str]
) -> HTMLResponse:
    """What a person sees in the frame instead of the page. `is_passing`: trying again may help, so it is offered.

    Its tenant and the bridge's address are in the request's state, as far as the request came.
    """
    tenant: Tenant | None = getattr(request.state, "tenant", None)
    host_script_url: str | None = getattr(request.state, "host_script_url", None)
    html = ENVIRONMENT.get_template("error.html").render(
        title=title,
        detail=detail,
        root=_root(request),
        host_script_url=host_script_url,
        # The bridge alone can load the page again: the token in the frame's address is good for that once.
        may_reload=is_passing and host_script_url is not None,
    )
    policy = _base_policy(host_script_url) | {
        # Nobody knows whose frame it is when the caller is not identified; the page shows nothing of anybody.
        "frame-ancestors": "*" if tenant is None else frame_ancestors(tenant),
    }
    return HTMLResponse(html, status_code=status, headers={**headers, "Content-Security-Policy": _write_policy(policy)})


def frame_ancestors(tenant: Tenant) -> str:
    """The origins that may show the tenant's pages in a frame."""
    origins = (_origin(tenant.base_url), _origin(tenant.display_url))
    return " ".join(dict.fromkeys(origin for origin in origins if origin)) or "'none'"


def _root(request: Request) -> str:
    """The way from the request's address up to ours: also right behind a proxy that strips a prefix from the path."""
    return "../" * (request.url.path.count("/") - 1)


def _base_policy(host_script_url: str | None) -> dict[str, str]:
    bridge = _origin(host_script_url) if host_script_url else None
    scripts = " ".join(source for source in ("'self'", bridge) if source)
    styles = f"{scripts} {ATLASSIAN_CDN}"
    return {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": styles,
        "font-src": styles,
        "form-action": "'none'",
        "base-uri": "'none'",
    }


def _origin(url: str) -> str | None:
    """Scheme, host and port; None for what could smuggle another directive into a policy."""
    parts = urlsplit(url.lower())
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if ORIGIN.fullmatch(origin) else None


def _write_policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _day(time: datetime) -> str:
    """3 May 2026."""
    return f"{time.astimezone(UTC):%-d %B %Y}"


@functools.lru_cache(maxsize=1024)  # fifty rows that were read at once show one time
def _minute(time: datetime) -> str:
    """3 May 2026, 08:15 UTC."""
    return f"{_day(time)}, {time.astimezone(UTC):%H:%M} UTC"


def _count(number: int) -> str:
    """12,345."""
    return f"{number:,}"


def _duration(time: timedelta) -> str:
    """4 minutes, rounded up; from two hours on in hours."""
    minutes = -(-int(time.total_seconds()) // 60)
    if minutes < 120:  # noqa: PLR2004 - as said
        return texts.ngettext("%(number)s minute", "%(number)s minutes", minutes) % {"number": _count(minutes)}
    hours = -(-minutes // 60)
    return texts.ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": _count(hours)}


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    extensions=["jinja2.ext.i18n"],
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.policies["ext.i18n.trimmed"] = True
ENVIRONMENT.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined] # by i18n
ENVIRONMENT.globals["language"] = texts.LANGUAGE
ENVIRONMENT.filters |= {
    "day": _day,
    "minute": _minute,
    "count": _count,
    "phase": vocabulary.name,
    "duration": _duration,
    "written_domain": company.written_domain,
    "translated": texts.gettext,  # of a sentence that is stored in English
}
ENVIRONMENT.filters |= words.FILTERS
