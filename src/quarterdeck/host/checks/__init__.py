"""One small file for each group of checks; each offers ``async def check() -> list[Check]``."""
