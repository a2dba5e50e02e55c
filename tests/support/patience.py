"""How long does a test wait for what must come? Long enough for a machine that is slow and busy with everything else.

For what is to happen. That something is quick is never shown by a limit of time here.
"""

PATIENCE_S = 60
