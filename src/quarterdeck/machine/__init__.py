"""The machine as a value: spec, resolution and the QEMU command. Pure: no I/O."""
