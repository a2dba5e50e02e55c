import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import domains


@pytest.mark.parametrize(
    ("email", "hosts"),
    [
        ("ana@acme.com", ["acme.com"]),
        ("ana@ACME.com.", ["acme.com"]),
        ("ana@acme.com\u3002", ["acme.com"]),
        ("ana@mail.eu.acme.co.uk", ["mail.eu.acme.co.uk", "eu.acme.co.uk", "acme.co.uk"]),
        ("ana@acme.github.io", ["acme.github.io"]),
        ("ana@münchen.de", ["xn--mnchen-3ya.de"]),
        ("ana@büro.straße.de", ["xn--bro-hoa.xn--strae-oqa.de", "xn--strae-oqa.de"]),
        ("a@b@acme.com", ["acme.com"]),
        ("ana@intranet.local", ["intranet.local"]),
        # Whom anybody can register at, or nobody.
        ("ana@gmail.com", []),
        ("ana@GMAIL.COM", []),
        ("ana@web.de", []),
        ("ana@mail.yahoo.co.uk", []),
        ("ana@co.uk", []),
        ("ana@github.io", []),
        ("ana@com\u3002", []),
        ("ana@co.uk.", []),
        ("ana@gmail.com\uff61", []),
        # What is no address of a host.
        ("ana@localhost", []),
        ("ana@acme.com..", []),
        ("ana@acme.com.\u3002", []),
        ("ana@[192.0.2.1]", []),
        ("ana@192.0.2.1", []),
        ("acme.com", []),
        ("ana@", []),
        ("", []),
        (None, []),
    ],
)
def test_hosts_of_an_address(email: str | None, hosts: list[str]) -> None:
    assert list(domains.hosts_of(email)) == hosts


@given(st.text(max_size=30), st.sampled_from(sorted(domains.PUBLIC_MAIL)), st.sampled_from(["", "mail.", "x.y."]))
def test_public_mail_provider_says_nothing(local: str, provider: str, below: str) -> None:
    assert not domains.hosts_of(f"{local}@{below}{provider}")


# As UTS 46 knows them.
DOTS = (".", "\u3002", "\uff0e", "\uff61")
LABELS = st.sampled_from(["acme", "com", "co", "uk", "github", "io", "B\u00fcro", ""])
WRITTEN = st.lists(st.tuples(LABELS, st.sampled_from(DOTS))).map(lambda parts: "".join(itertools.chain(*parts)))


@given(st.text() | WRITTEN)
def test_any_text_can_be_asked(text: str) -> None:
    hosts = domains.hosts_of(f"a@{text}")
    assert all(all(host.split(".")) and "." in host and host == host.lower() for host in hosts)
    assert all(shorter.count(".") < longer.count(".") for longer, shorter in itertools.pairwise(hosts))
