"""Networks that are made for one machine: devices, addresses, rules; and removed after it, whoever ended it."""

from quarterdeck.runtime.network.setup import closing, set_up, tear_down, tear_down_now

__all__ = ["closing", "set_up", "tear_down", "tear_down_now"]
