"""S1 to S16 and D1 to D11 under real conditions: whatever happens in whatever order, the contacts end as the model says."""

import asyncio

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.stage import Stage

SEEDS = 8
SEQUENCES = 26  # of each seed
STEPS = 14


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_contacts_end_as_the_specification_says(seed: int, runner: asyncio.Runner, stage: Stage) -> None:
    machine = type(f"Machine{seed}", (Machine,), {"runner": runner, "stage": stage})
    phases = list(hypothesis.Phase)
    if hypothesis.settings.get_current_profile_name() == "steady":
        machine = hypothesis.seed(seed)(machine)
        phases = [hypothesis.Phase.generate]  # a sequence made shorter takes minutes: for who explores
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            phases=phases,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
        _min_steps=STEPS - 2,
    )
