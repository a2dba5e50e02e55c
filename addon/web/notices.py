"""How does a fragment tell that something was done? A header that makes the page's script say so, to screen readers, too."""

import json


def say(text: str) -> dict[str, str]:
    return {"HX-Trigger": json.dumps({"crm:notice": text})}
