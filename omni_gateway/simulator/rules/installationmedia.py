"""Rules of InstallationMediaConfigs."""

from __future__ import annotations

from collections.abc import Iterator

from ..resource import Resource
from .base import RuleContext, Rules
from .clusters import TALOS_VERSION
from .extensions import names

TYPE = "InstallationMediaConfigs.omni.sidero.dev"
_FEATURES = "FeaturesConfigs.omni.sidero.dev"
_CLOUDS = "CloudPlatformConfigs.omni.sidero.dev"
_BOARDS = "SBCConfigs.omni.sidero.dev"
_LONGEST_ARGS = 4096


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check architecture, platform or board, Talos version, extensions and where images come from."""
    if not new.spec.get("architecture"):
        yield "the architecture is missing"
    yield from _platform(ctx, new)
    version = (new.spec.get("talos_version") or "").removeprefix("v")
    if version and ctx.find(TALOS_VERSION, version) is None:
        yield f"there is no Talos version {version!r}"
    elif extensions := new.spec.get("install_extensions"):
        yield from names(ctx, extensions, version)
    if len((new.spec.get("kernel_args") or "").encode()) > _LONGEST_ARGS:
        yield f"the kernel arguments are longer than {_LONGEST_ARGS} bytes"
    features = ctx.find(_FEATURES, "features-config")
    factory = new.spec.get("image_factory_url")
    if factory and (features is None or factory != features.spec.get("image_factory_base_url")):
        yield "that is not the image factory of this Omni"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules(TYPE, create, update)


def _platform(ctx: RuleContext, new: Resource) -> Iterator[str]:
    cloud, board = new.spec.get("cloud"), new.spec.get("sbc")
    if cloud is not None and board is not None:
        yield "either a cloud platform or a board, not both"
    if cloud is not None and ctx.find(_CLOUDS, cloud.get("platform") or "", "virtual") is None:
        yield f"there is no cloud platform {cloud.get('platform') or ''!r}"
    if board is not None and ctx.find(_BOARDS, board.get("overlay") or "", "virtual") is None:
        yield f"there is no board {board.get('overlay') or ''!r}"
