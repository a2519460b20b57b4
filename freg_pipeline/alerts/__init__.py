"""Trouble, and who is told of it: what is late, what waits for a person, and one message for each.

What is found is handed in as signs: by Dagster's records (``orchestration.failing``) and by the
store (:mod:`freg_pipeline.alerts.attention`). Nothing here knows Dagster.
"""
