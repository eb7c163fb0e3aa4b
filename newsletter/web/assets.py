"""Style sheet, script and icon, shipped with the package, held in memory, addressed by content: browsers may keep them."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    content: bytes
    media_type: str
    version: str  # first eight digits of its SHA-256


def load(folder: Path = FOLDER) -> Mapping[str, Asset]:
    """All files of the folder by name."""
    return {path.name: _asset(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(content=content, media_type=media_type, version=hashlib.sha256(content).hexdigest()[:8])


def route(assets: Mapping[str, Asset]) -> Route:
    async def serve(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            return PlainTextResponse("Not found\n", 404)
        current = request.query_params.get("v") == asset.version
        headers = {"Cache-Control": FOR_EVER if current else "no-cache"}
        return Response(asset.content, media_type=asset.media_type, headers=headers)

    return Route("/static/{name}", serve, methods=["GET"])
