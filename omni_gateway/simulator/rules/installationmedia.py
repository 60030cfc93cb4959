"""Rules of InstallationMediaConfigs."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.clusters import TALOS_VERSION
from omni_gateway.simulator.rules.extensions import names
from omni_gateway.simulator.rules.metadata import has_control
from omni_gateway.simulator.rules.versions import DEFAULT_TALOS_VERSION, minor
from omni_gateway.simulator.state.resource import Resource

TYPE = "InstallationMediaConfigs.omni.sidero.dev"
_FEATURES = "FeaturesConfigs.omni.sidero.dev"
_CLOUDS = "CloudPlatformConfigs.omni.sidero.dev"
_BOARDS = "SBCConfigs.omni.sidero.dev"
_LONGEST_ARGS = 4096
_EMBEDDED_CONFIG_SINCE = (1, 12)


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check architecture, platform or board, Talos version, extensions and where images come from."""
    if not new.spec.get("architecture"):
        yield "the architecture is missing"
    yield from _platform(ctx, new)
    version = (new.spec.get("talos_version") or "").removeprefix("v")
    if version and ctx.find(TALOS_VERSION, version) is None:
        yield f"there is no Talos version {version!r}"
    elif extensions := new.spec.get("install_extensions"):
        yield from names(ctx, extensions, version or DEFAULT_TALOS_VERSION)
    if version and new.spec.get("embedded_machine_config") and minor(version) < _EMBEDDED_CONFIG_SINCE:
        yield f"images of Talos {version} hold no machine configuration"
    args = new.spec.get("kernel_args") or ""
    if len(args.encode()) > _LONGEST_ARGS:
        yield f"the kernel arguments are longer than {_LONGEST_ARGS} bytes"
    if has_control(args):
        yield "the kernel arguments have control characters"
    yield from _factory(ctx, new.spec.get("image_factory_url") or "")


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules(TYPE, create, update)


def _factory(ctx: RuleContext, url: str) -> Iterator[str]:
    features = ctx.find(_FEATURES, "features-config")
    if not url or features is None:
        return
    known = (features.spec.get(f"{which}image_factory_base_url") or "" for which in ("", "secondary_"))
    if url.rstrip("/") not in [base.rstrip("/") for base in known]:
        yield "that is not the image factory of this Omni"


def _platform(ctx: RuleContext, new: Resource) -> Iterator[str]:
    cloud, board = new.spec.get("cloud"), new.spec.get("sbc")
    if cloud is not None and board is not None:
        yield "either a cloud platform or a board, not both"
    if cloud is not None and ctx.find(_CLOUDS, cloud.get("platform") or "", "virtual") is None:
        yield f"there is no cloud platform {cloud.get('platform') or ''!r}"
    if board is not None and ctx.find(_BOARDS, board.get("overlay") or "", "virtual") is None:
        yield f"there is no board {board.get('overlay') or ''!r}"
