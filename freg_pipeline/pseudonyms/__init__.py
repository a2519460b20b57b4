"""Copies without identity numbers: an allow-list of columns, pseudonyms by a key, coarser values.

Pseudonymised data is still personal data (GDPR article 4(5)): docs/data-protection.md.
"""
