"""How fast, how small, how cheap? Ratios against a baseline measured in the same run, beside the goals of the design.

Never part of the tests: `make bench` runs it on a quiet machine.
"""
