"""A whole country on one machine: what each stage takes, and the floor beside it."""
