"""Answers to the documentation's questions, by plain Python from the register's documents."""

from freg_pipeline_tests.reckoned import analysts, people, questions
from freg_pipeline_tests.reckoned.shared import ANSWERS, Rows

__all__ = ["ANSWERS", "Rows", "analysts", "people", "questions"]
