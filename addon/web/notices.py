"""How does a fragment tell that something was done? A header that makes the page's script say so, to screen readers, too."""

import json


def say(text: str, *, tell: str | None = None) -> dict[str, str]:
    """`tell`: an event that other parts of the page wait for."""
    events = {"crm:notice": text} if tell is None else {"crm:notice": text, tell: ""}
    return {"HX-Trigger": json.dumps(events)}
