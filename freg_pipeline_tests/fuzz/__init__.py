"""Answers made wrong at random, for the code that reads them without a net."""
