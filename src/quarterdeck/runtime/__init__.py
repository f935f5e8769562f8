"""A running machine: state, QMP, launch, and the supervisor that ties them together."""
