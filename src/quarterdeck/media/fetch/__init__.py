"""Downloads: several connections, resumed after any interruption, verified while they run."""
