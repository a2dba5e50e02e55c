"""A local Jira Cloud for development, demos, tests and benchmarks; `addon` and `lifecycle` never import it."""
