"""The report: one HTML page that needs nothing beside itself."""

from harness.reporting.report.page import report

__all__ = ["report"]
