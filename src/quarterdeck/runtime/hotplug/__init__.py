"""USB devices of the host that come to a running machine and go: what is plugged in, what is wanted, and the task that joins them."""
