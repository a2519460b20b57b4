"""Figures about a release, for those who answer for it: as one HTML page that opens without a
network (:mod:`freg_pipeline.report.page`), and as small pictures beside a release's other facts
(:mod:`freg_pipeline.report.small`), which need nothing that draws the page's.

They tell of counts, never of a person: :mod:`freg_pipeline.report.figures` says which are shown.
"""
