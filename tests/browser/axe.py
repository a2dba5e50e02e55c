"""What has axe-core against a page of ours, as it looks at this moment?"""

import pathlib

from playwright.async_api import Frame

SCRIPT = pathlib.Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


async def violations(frame: Frame) -> list[str]:
    """One line for each offending element."""
    if not await frame.evaluate("'axe' in window"):
        await frame.evaluate(SCRIPT.read_text(encoding="utf-8"))
    # Without preloading, for which axe would fetch Jira's style sheets and offend against the page's own policy.
    found = await frame.evaluate("axe.run(document, { preload: false })")
    return [
        f"{violation['id']}: {violation['help']}: {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
