"""Dagster only: resources, partitions, assets, checks, jobs, sensors, schedules."""
