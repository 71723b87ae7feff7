"""Curves, tables and export of finished runs."""
