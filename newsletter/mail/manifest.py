"""What exactly is approved: one hash over everything a reader will see. Delivery refuses any other content."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from newsletter.model import Rendering


def content_hash(
    renderings: Sequence[Rendering], *, sender: str, list_id: str | None, images: Sequence[str] = ()
) -> str:
    """SHA-256 over the manifest: each rendering with its markers in place, the sender, the list, the pictures of ours.

    `images` are the names of pictures, which are hashes of their contents.

    Per-reader values are not in it; the places where they go are.
    """
    manifest: dict[str, Any] = {
        "sender": sender,
        "list": list_id,
        "renderings": [
            {
                "language": rendering.language,
                "subject": rendering.subject,
                "preheader": rendering.preheader,
                "html": hashlib.sha256(rendering.html.encode()).hexdigest(),
                "text": hashlib.sha256(rendering.text.encode()).hexdigest(),
                **({"segments": asdict(rendering.segments)} if rendering.segments is not None else {}),
            }
            for rendering in renderings
        ],
    }
    if images:  # without any the hash is as it was before there were pictures of ours: approvals stand
        manifest["images"] = sorted(images)
    return hashlib.sha256(json.dumps(manifest, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
