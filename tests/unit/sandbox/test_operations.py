from typing import Any

import pytest

from sandbox import errors, operations


@pytest.fixture(name="catalogue", scope="module")
def the_catalogue() -> operations.Catalogue:
    return operations.load_catalogue()


def parse(catalogue: operations.Catalogue, path: str, query: str = "") -> Any:
    match = catalogue.find("GET", path)
    assert match is not None
    return operations.parse_parameters(match, query)


def test_every_operation_of_both_documents_has_a_scope(catalogue: operations.Catalogue) -> None:
    assert len({(each.method, each.path) for each in catalogue.operations}) == len(catalogue.operations)
    assert {each.scope for each in catalogue.operations} >= {"READ", "ADMIN", "NONE", "INACCESSIBLE"}


@pytest.mark.parametrize(
    ("method", "path", "operation_id"),
    [
        ("GET", "/rest/api/3/user/bulk", "bulkGetUsers"),
        ("GET", "/rest/servicedeskapi/organization/7/user", "getUsersInOrganization"),
        ("PUT", "/rest/atlassian-connect/1/addons/a/properties/b", "AddonPropertiesResource.putAddonProperty_put"),
        ("POST", "/rest/api/3/user/bulk", None),
        ("GET", "/rest/servicedeskapi/organization//user", None),
        ("GET", "/rest/servicedeskapi/organization/7/8/user", None),
    ],
)
def test_path_leads_to_its_operation(
    catalogue: operations.Catalogue, method: str, path: str, operation_id: str | None
) -> None:
    match = catalogue.find(method, path)
    assert (match.operation.operation_id if match else None) == operation_id


def test_path_parameters_are_decoded(catalogue: operations.Catalogue) -> None:
    parameters = parse(catalogue, "/rest/atlassian-connect/1/addons/a%2Fb/properties/c%20d")
    assert parameters == {"addonKey": "a/b", "propertyKey": "c d"}


def test_defaults_and_types_come_from_the_document(catalogue: operations.Catalogue) -> None:
    parameters = parse(catalogue, "/rest/api/3/group/member")
    assert parameters["maxResults"] == 50
    assert parameters["includeInactiveUsers"] is False
    assert parameters["groupId"] is None
    parameters = parse(catalogue, "/rest/api/3/group/member", "includeInactiveUsers=true&startAt=9&unknown=1")
    assert (parameters["includeInactiveUsers"], parameters["startAt"]) == (True, 9)
    assert "unknown" not in parameters


def test_repeated_values_make_a_list(catalogue: operations.Catalogue) -> None:
    assert parse(catalogue, "/rest/api/3/user/bulk", "accountId=a%3Ab&accountId=c")["accountId"] == ["a:b", "c"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/rest/api/3/user/bulk", ""),
        ("/rest/api/3/user/bulk", f"accountId={'x' * 129}"),
        ("/rest/api/3/group/member", "maxResults=5.0"),
        ("/rest/api/3/group/member", "maxResults=2147483648"),
        ("/rest/api/3/group/member", "maxResults="),
        ("/rest/api/3/group/member", "includeInactiveUsers=TRUE"),
        ("/rest/servicedeskapi/organization/x", ""),
    ],
)
def test_wrong_parameter_is_refused(catalogue: operations.Catalogue, path: str, query: str) -> None:
    with pytest.raises(errors.BadRequest):
        parse(catalogue, path, query)
