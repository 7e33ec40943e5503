"""The report: one page of pictures of a home's habits, complete in one file."""

from quotidian.report.data import ReportData
from quotidian.report.page import render

__all__ = ["ReportData", "render"]
