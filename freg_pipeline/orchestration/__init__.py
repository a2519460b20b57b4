"""Dagster only: resources, partitions, assets, checks, jobs, sensors, schedules."""

import warnings

from dagster import BetaWarning

# Backfill policies are what makes a backfill of batches bearable; that Dagster calls them beta is
# nothing for the users of a command to read.
warnings.filterwarnings("ignore", category=BetaWarning, message=".*backfill_policy.*")
