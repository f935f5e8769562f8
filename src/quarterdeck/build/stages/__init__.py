"""What a Dockerfile means for one target platform: its stages, their platforms, and which of them are needed."""
