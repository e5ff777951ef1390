"""The report: one HTML page that needs no other file."""

from harness.reporting.report.page import Clip, report

__all__ = ["Clip", "report"]
