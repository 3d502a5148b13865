"""Rows per second, against what an expert reaches by hand."""
