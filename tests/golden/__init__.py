"""QEMU commands for whole specs: compared with files, and given to the real QEMU."""
