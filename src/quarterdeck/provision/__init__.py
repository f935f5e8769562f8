"""What a first boot is told, as text. Pure: no I/O."""
