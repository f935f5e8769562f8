"""Images for many platforms: Dockerfiles read, work planned and placed, single-platform builds run, merged and proved."""
