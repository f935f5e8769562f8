"""A host whose USB devices are files below a folder."""

from pathlib import Path


class FakeBus:
    """Devices are plugged in and out; each time they get a new number, as with a real one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._number = 1

    def plug(self, place: str, identity: str, *, name: str = "", kind: str = "00", node: bool = True) -> None:
        """Plug in ``VENDOR:PRODUCT`` at ``BUS-PORT``."""
        self._number += 1
        vendor, product = identity.split(":")
        folder = self.root / "sys/bus/usb/devices" / place
        folder.mkdir(parents=True)
        fields = {"idVendor": vendor, "idProduct": product, "devnum": str(self._number), "product": name, "bDeviceClass": kind}
        for field, value in fields.items():
            (folder / field).write_text(f"{value}\n")
        if node:
            file = self.root / f"dev/bus/usb/{int(place.split('-')[0]):03d}/{self._number:03d}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()

    def pull(self, place: str) -> None:
        folder = self.root / "sys/bus/usb/devices" / place
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
