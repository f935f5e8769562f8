"""Disks of machines in the forms that other programs take: files, OVA packages, container images."""
