"""Networks that need help outside QEMU."""
