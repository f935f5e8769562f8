"""One file for each kind of device: from its resolved form to QEMU arguments."""
