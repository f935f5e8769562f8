"""The emulators that this host has: found, judged, and given the flags and the CPU model that suit them."""
