import pytest

from lifecycle import errors, tenant
from lifecycle.tenant import Event, State

LEGAL = {
    (State.INSTALLED, Event.INSTALLED): State.INSTALLED,
    (State.ENABLED, Event.INSTALLED): State.INSTALLED,
    (State.DISABLED, Event.INSTALLED): State.INSTALLED,
    (State.UNINSTALLED, Event.INSTALLED): State.INSTALLED,
    (State.SUPERSEDED, Event.INSTALLED): State.INSTALLED,
    (State.INSTALLED, Event.ENABLED): State.ENABLED,
    (State.ENABLED, Event.ENABLED): State.ENABLED,
    (State.DISABLED, Event.ENABLED): State.ENABLED,
    (State.INSTALLED, Event.DISABLED): State.DISABLED,
    (State.ENABLED, Event.DISABLED): State.DISABLED,
    (State.DISABLED, Event.DISABLED): State.DISABLED,
    (State.INSTALLED, Event.UNINSTALLED): State.UNINSTALLED,
    (State.ENABLED, Event.UNINSTALLED): State.UNINSTALLED,
    (State.DISABLED, Event.UNINSTALLED): State.UNINSTALLED,
    (State.UNINSTALLED, Event.UNINSTALLED): State.UNINSTALLED,
    (State.SUPERSEDED, Event.UNINSTALLED): State.SUPERSEDED,
    (State.INSTALLED, Event.SUPERSEDED): State.SUPERSEDED,
    (State.ENABLED, Event.SUPERSEDED): State.SUPERSEDED,
    (State.DISABLED, Event.SUPERSEDED): State.SUPERSEDED,
}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_move_leads_where_the_table_says_and_nowhere_else(state: State, event: Event) -> None:
    if (state, event) in LEGAL:
        assert tenant.move(state, event) is LEGAL[state, event]
    else:
        with pytest.raises(errors.IllegalMove):
            tenant.move(state, event)


def test_only_tenants_that_are_switched_on_may_call() -> None:
    assert [state for state in State if state.may_call] == [State.INSTALLED, State.ENABLED]
    assert [state for state in State if state.is_live] == [State.INSTALLED, State.ENABLED, State.DISABLED]
