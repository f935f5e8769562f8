"""What ``--metadata-file`` and ``--iidfile`` hold: complete for every platform.

The keys ``containerimage.*`` and ``image.name`` are those of ``docker buildx build --metadata-file``.
"""

from __future__ import annotations

from typing import Any

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.run.crew import Built
from quarterdeck.build.run.job import Finished


def metadata(finished: Finished) -> dict[str, Any]:
    """Return the JSON object of a finished build."""
    pushed = next((one.digest for one in finished.deliveries if one.digest), "")
    return {
        "containerimage.digest": pushed or finished.root.digest,
        "containerimage.descriptor": {
            "mediaType": finished.root.media_type,
            "digest": finished.root.digest,
            "size": finished.root.size,
        },
        "image.name": ",".join(finished.names),
        "quarterdeck.platforms": {str(one.platform): _platform(finished, one) for one in finished.built},
        "quarterdeck.deliveries": [{"kind": one.kind.value, "text": one.text, "digest": one.digest or None} for one in finished.deliveries],
        "quarterdeck.check": finished.report.to_json() if finished.report else None,
    }


def image_id(finished: Finished) -> str:
    """Return what ``--iidfile`` holds: the configuration's digest of a single image, the digest of an index of several."""
    if len(finished.built) > 1:
        return finished.root.digest
    return finished.images[finished.built[0].platform].config


def _platform(finished: Finished, built: Built) -> dict[str, Any]:
    result, digests = built.result, finished.images[built.platform]
    return {
        "containerimage.digest": digests.manifest,
        "containerimage.config.digest": digests.config,
        "node": built.node,
        "engine": result.engine.value,
        "engine.version": result.version,
        "emulated": built.runs is Runs.EMULATED,
        "seconds": round(result.seconds, 3),
        "steps": [
            {"step": one.step.title, "state": one.state.value, "seconds": None if one.seconds is None else round(one.seconds, 3)}
            for one in result.steps
        ],
        **({"buildx": dict(result.metadata)} if result.metadata else {}),
    }
