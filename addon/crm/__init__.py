"""What a contact and a company are, and when a person and a contact are the same: pure rules, no I/O."""
