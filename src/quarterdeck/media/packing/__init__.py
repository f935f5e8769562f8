"""Images out of archives and compressed files, in one pass where the format allows, trusting nothing that they say."""
