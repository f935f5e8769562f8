"""One build of one platform by one engine: what is asked, what the engine can, what it says, and what went wrong."""
