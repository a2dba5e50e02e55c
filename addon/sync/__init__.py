"""How Jira's people become contacts: the plan (pure) and the engine that carries it out."""
