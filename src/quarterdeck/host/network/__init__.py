"""What this network namespace offers to networks of machines."""

from quarterdeck.host.network.probe import network_facts

__all__ = ["network_facts"]
