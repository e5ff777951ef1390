"""The report: one HTML page that needs nothing beside itself."""

from harness.reporting.report.page import Clip, report

__all__ = ["Clip", "report"]
