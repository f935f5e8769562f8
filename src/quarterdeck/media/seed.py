"""NoCloud seed discs: a tiny ISO 9660 image labelled ``cidata`` that cloud-init reads at the first boot."""

from __future__ import annotations

import io
from pathlib import Path

from pycdlib import PyCdlib

from quarterdeck.core.fs import write_atomic
from quarterdeck.errors import MediaError
from quarterdeck.provision.cloud_init import FirstBoot, meta_data, network_config, user_data

LABEL = "cidata"


def write_seed(path: Path, first_boot: FirstBoot) -> None:
    """Write the seed of ``first_boot`` to ``path``, atomically and with mode 0600: it holds the password.

    Raises:
        UsageError: a key, password or package name in ``first_boot`` cannot work.
        MediaError: the file cannot be written.
    """
    files = {
        "user-data": user_data(first_boot),
        "meta-data": meta_data(first_boot),
        "network-config": network_config(first_boot),
        "vendor-data": first_boot.vendor_data,
    }
    content = iso({name: text.encode() for name, text in files.items() if text})
    try:
        write_atomic(path, content, mode=0o600)
    except OSError as error:
        raise MediaError("seed-not-written", f"the seed disc {path} cannot be written", reason=error.strerror or "") from error


def iso(files: dict[str, bytes]) -> bytes:
    """Return an ISO 9660 image with ``files`` in its root, named in full through Rock Ridge and Joliet.

    ISO level 3 names are 8.3 upper case; guests read the long names of either extension.
    """
    disc = PyCdlib()
    disc.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    for index, (name, content) in enumerate(files.items()):
        disc.add_fp(io.BytesIO(content), len(content), f"/FILE{index}.;1", rr_name=name, joliet_path=f"/{name}")
    image = io.BytesIO()
    disc.write_fp(image)
    disc.close()
    return image.getvalue()
