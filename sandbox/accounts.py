"""What do account ids look like? Every shape that has been seen on real sites, colons included.

Source of the shapes: Atlassian's API examples; "do not assume any structure" is the only promise.
"""

import random
import uuid

WELL_KNOWN_ADMIN = "5b10ac8d82e05b22cc7d4ad0"
WELL_KNOWN_AGENT = "557058:a9e7d1c3-52b0-4f3c-8f4e-2f1c6d0b7a11"
WELL_KNOWN_MEMBER = "712020:3c0e8f52-6f0a-4d0e-9a55-b1c8e6f4d222"

HEX_ID_BITS = 96
PREFIXES = ("557058", "70121", "712020", "99")


def draw_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def draw_atlassian_id(rng: random.Random) -> str:
    shape = rng.randrange(len(PREFIXES) + 2)
    return f"{PREFIXES[shape]}:{draw_uuid(rng)}" if shape < len(PREFIXES) else _draw_hex_id(rng)


def draw_customer_id(rng: random.Random, portal: str) -> str:
    """`portal` is the same for all portal-only customers of one site."""
    return f"qm:{portal}:{_draw_hex_id(rng) if rng.random() < 0.5 else draw_uuid(rng)}"  # noqa: PLR2004 - half of each


def _draw_hex_id(rng: random.Random) -> str:
    return f"{rng.getrandbits(HEX_ID_BITS):024x}"
