"""What a copy's tables and columns are called: as the views are.

dlt's own rules know English letters only, take underscores together and put an ``x`` for one at an
end: two names could become one. Ours are small letters, digits and underscores already, and no
longer than what databases take (:mod:`freg_pipeline.contract.names`).
"""

from __future__ import annotations

from dlt.common.normalizers.naming.naming import NamingConvention as DltNaming


class NamingConvention(DltNaming):  # found by dlt in the module that it is told of
    """Names stay what they are; a database that takes shorter ones only gets them cut."""

    @property
    def is_case_sensitive(self) -> bool:
        """Whether names differ that differ by case: so databases may write all in capitals."""
        return False

    def normalize_identifier(self, identifier: str) -> str:
        """A name, as it is called there."""
        name = super().normalize_identifier(identifier)
        return self.shorten_identifier(name, name, self.max_length)

    def normalize_path(self, path: str) -> str:
        """A table's or column's name; ``__`` is a part of it."""
        return self.normalize_identifier(path)

    def normalize_tables_path(self, path: str) -> str:
        """A table's name."""
        return self.normalize_identifier(path)
