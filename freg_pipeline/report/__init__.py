"""A page about a release, for those who answer for it: one HTML file that opens without a network.

It holds figures, never a person: :mod:`freg_pipeline.report.figures` says which of them are shown.
"""

from freg_pipeline.report.page import page_of, report_name, write_report

__all__ = ["page_of", "report_name", "write_report"]
