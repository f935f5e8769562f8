"""Commands about disk files, and the export of machines."""
