"""Extractors: text of a page to values. Pure, and safe with pages of any content."""
