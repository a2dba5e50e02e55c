import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import company
from addon.crm.company import DomainNameError


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("acme.com", "acme.com"),
        (" @ACME.Com. ", "acme.com"),
        ("mail.acme.co.uk", "mail.acme.co.uk"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"),
        ("acme\u3002com", "acme.com"),  # the ideographic full stop is a dot, too (UTS 46)
        ("acme.com\u3002", "acme.com"),
        ("\uff41cme.com", "acme.com"),  # a full-width letter
        ("4chan.org", "4chan.org"),
        ("a." * 126 + "b.", "a." * 126 + "b"),
    ],
)
def test_domain_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert company.normalize_domain(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "@",
        "localhost",
        "10.0.0.1",
        "a b.com",
        "a_b.com",
        "-a.com",
        "a..com",
        "acme.com..",
        "acme.com.\u3002",
        "com\u3002",
        "ada@acme.com",
        "https://acme.com",
        "*.acme.com",
        "a" * 64 + ".com",
        "a." * 127 + "com",
        "a." * 126 + "ab.",
        "\ud800.com",
        "\0.com",
        "acme.com/x",
        "acme.com:80",
    ],
)
def test_what_is_no_full_domain_is_refused(typed: str) -> None:
    with pytest.raises(DomainNameError):
        company.normalize_domain(typed)


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("acme.com", "acme.com"),
        ("xn--mnchen-3ya.de", "münchen.de"),
        ("shop.xn--mnchen-3ya.de", "shop.münchen.de"),
        ("xn--zckzah.xn--p1ai", "テスト.рф"),
        ("xn--a.de", "xn--a.de"),  # which stands for nothing
    ],
)
def test_domain_is_shown_in_the_letters_it_stands_for(stored: str, written: str) -> None:
    assert company.written_domain(stored) == written


@given(st.text(max_size=300))
def test_a_normalized_domain_stays_as_it_is(typed: str) -> None:
    try:
        stored = company.normalize_domain(typed)
    except DomainNameError:
        return
    assert company.normalize_domain(stored) == stored
    assert stored.isascii()
    assert company.normalize_domain(company.written_domain(stored)) == stored
    assert len(stored) <= company.MAX_DOMAIN_LENGTH
    assert len(stored.split(".")) > 1
    assert all(stored.split("."))
