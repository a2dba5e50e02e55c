import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.web import rebase
from addon.web.rebase import Record

TEXTS = st.sampled_from(["", "x", "y", "z"])
RECORDS = st.builds(
    Record,
    values=st.fixed_dictionaries({"name": TEXTS, "phone": TEXTS}),
    attributes=st.dictionaries(st.sampled_from(["a", "b", "c"]), TEXTS),
)


def one(seen: str, typed: str, present: str) -> tuple[str, str | None]:
    records = (Record(values={"phone": text}, attributes={}) for text in (seen, typed, present))
    found = rebase.rebase(**dict(zip(("seen", "typed", "present"), records, strict=True)))
    return found.values["phone"], found.meanwhile.get("phone")


@pytest.mark.parametrize(
    ("seen", "typed", "present", "value", "meanwhile"),
    [
        ("1", "1", "1", "1", None),
        ("1", "2", "1", "2", None),  # only we changed it
        ("1", "1", "2", "2", None),  # only they did
        ("1", "2", "3", "2", "3"),  # both did
        ("1", "2", "2", "2", None),  # both did the same
        ("1", "2", "", "2", ""),  # they removed it
    ],
)
def test_field_is_taken_from_who_changed_it(
    seen: str, typed: str, present: str, value: str, meanwhile: str | None
) -> None:
    assert one(seen, typed, present) == (value, meanwhile)


@given(RECORDS, RECORDS, RECORDS)
def test_what_was_typed_is_kept_and_what_was_not_is_as_it_is_now(seen: Record, typed: Record, present: Record) -> None:
    found = rebase.rebase(seen=seen, typed=typed, present=present)
    for name in present.values:
        mine = typed.values[name]
        assert found.values[name] == (present.values[name] if mine == seen.values[name] else mine)
    for name in {*typed.attributes, *present.attributes}:
        mine_or_none = typed.attributes.get(name)
        expected = present.attributes.get(name) if mine_or_none == seen.attributes.get(name) else mine_or_none
        assert found.attributes.get(name) == expected


@given(RECORDS)
def test_record_is_read_as_it_was_written(record: Record) -> None:
    assert rebase.read(record.write(), otherwise=Record(values={}, attributes={})) == record


@pytest.mark.parametrize("text", ["", "x", "[1, 2]", "[{}, []]", '[{"a": 1}, {}]', "[" * 5000])
def test_what_is_no_record_is_the_one_at_hand(text: str) -> None:
    present = Record(values={"name": "Ada"}, attributes={})
    assert rebase.read(text, otherwise=present) is present
