"""Commands about the disks of machines."""
