"""The wiring of the job queue."""
