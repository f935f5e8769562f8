"""Keeps registrations over a reboot: by systemd's binfmt.d, by binfmt-support, or not at all, and why."""
