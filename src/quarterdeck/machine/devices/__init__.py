"""One module for each kind of device: what of the QEMU command it needs. Pure."""
