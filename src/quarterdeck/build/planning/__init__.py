"""Where and how each step of a build for many platforms runs: natively, cross-compiled or emulated, on which node, and why."""
