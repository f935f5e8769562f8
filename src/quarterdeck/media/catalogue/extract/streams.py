"""Simple Streams: the products of an index of cloud images.

Format: https://github.com/CanonicalLtd/simplestreams, doc/ (format "products:1.0").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.media.catalogue import template
from quarterdeck.media.catalogue.extract.document import text_at, walk
from quarterdeck.media.catalogue.version import version_key

_ITEM = {"url": "path", "sha256": "sha256", "size": "size"}


def find(data: Any, item: str, *, where: Mapping[str, str], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the newest item of file type ``item`` of each product whose fields fit ``where``.

    ``url`` is the item's path below the index's folder, ``build`` the name of its version.
    """
    products = data.get("products") if isinstance(data, dict) else None
    found = []
    for product in products.values() if isinstance(products, dict) else []:
        bound = _fit(product, where, values)
        newest = _newest(product, item) if bound is not None else None
        if bound is not None and newest is not None:
            found.append({**bound, **newest})
    return found


def base(url: str) -> str:
    """Return the URL that paths of the index at ``url`` are below: what stands before ``streams/v1/``."""
    before, separator, _ = url.partition("/streams/v1/")
    return before if separator else url.rpartition("/")[0]


def _fit(product: Any, where: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str] | None:
    bound: dict[str, str] = {}
    for field, pattern in where.items():
        text = text_at(product, field)
        found = None if text is None else template.match(pattern, text, {**values, **bound})
        if found is None:
            return None
        bound.update(found)
    return bound


def _newest(product: Any, item: str) -> dict[str, str] | None:
    versions = product.get("versions") if isinstance(product, dict) else None
    for name in sorted(versions, key=version_key, reverse=True) if isinstance(versions, dict) else []:
        for each in walk(versions, f"{name}/items/*"):
            fields = {key: text_at(each, path) for key, path in _ITEM.items()}
            if text_at(each, "ftype") == item and fields["url"]:
                return {"build": name, **{key: value for key, value in fields.items() if value}}
    return None
