"""The settings: environment variables, or a file of them named by ``OMNI_GATEWAY_CONFIG_FILE``.

A variable of the environment takes precedence over the file. Every setting is a field of :class:`Settings`; its name
and ``doc`` make the table of ``docs/settings.md``, which a test compares with this module. The modules beside it make
the store, the authenticator, and the client of Omni for commands from the settings.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from limits import RateLimitItem, parse_many

from omni_gateway.environment.variables import PREFIX, SettingsError, in_file, setting, variables_of
from omni_gateway.host_names import DEFAULT_BIND, Pattern, ip_and_port
from omni_gateway.omni import ConfigError, OmniConfig

__all__ = ["OFF", "PREFIX", "Settings", "SettingsError"]

MINIMUM_TOKEN_BYTES = 32
WAYS_IN = ("token", "oidc", "omni-key")
OFF = "off"


def _setting(name: str, doc: str, default: Any, *, secret: bool = False) -> Any:
    return setting(doc, default, secret=secret, name=name)


@dataclass(frozen=True)
class Settings:
    """The gateway's settings; sizes are bytes and times are seconds."""

    omni: OmniConfig | None = None
    #: The variables that were given, those of plugins among them.
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    bind: str = _setting("BIND", "Address that `serve` listens at: `HOST:PORT` or `unix:PATH`", DEFAULT_BIND)
    metrics_bind: str = _setting(
        "METRICS_BIND",
        "A second address that `serve` listens at, for `/metrics` and the health routes only: `IP:PORT`; on loopback no"
        " token is needed there; empty: none",
        "",
    )
    state_dir: Path = _setting(
        "STATE_DIR", "Where tokens' hashes and the embedded Omni's database are kept", Path(".omni-gateway")
    )
    store_url: str = _setting(
        "STORE_URL",
        "SQLAlchemy URL of the store (`postgresql+psycopg://…` with the extra `postgresql`);"
        " empty: SQLite in the state directory",
        "",
        secret=True,
    )
    store_timeout: float = _setting(
        "STORE_TIMEOUT", "Deadline of one call to the store: waiting, connecting and all", 5.0
    )
    store_grace: float = _setting(
        "STORE_GRACE",
        "While the store cannot be read, how long a worker goes on with the tokens and OIDC providers that it read"
        " last; a revocation takes effect as much later. 0: not at all",
        300.0,
    )
    store_start_timeout: float = _setting(
        "STORE_START_TIMEOUT", "How long `serve` waits at its start for the store", 60.0
    )
    bootstrap_token: str = _setting(
        "BOOTSTRAP_TOKEN",
        f"An admin token of the operator's, at least {MINIMUM_TOKEN_BYTES} bytes; only its hash is stored",
        "",
        secret=True,
    )
    auth: tuple[str, ...] = _setting(
        "AUTH",
        "Authentication methods, comma separated: `token` (the gateway's own), `oidc` (JWTs of `oidc/providers`),"
        " `omni-key` (pass-through of the caller's own Omni key); `off` alone: every caller is an admin",
        ("token",),
    )
    oidc_private_addresses: bool = _setting(
        "OIDC_PRIVATE_ADDRESSES",
        "OIDC providers may be at private and loopback addresses (link-local ones never are)",
        False,
    )
    oidc_ca_file: str = _setting(
        "OIDC_CA_FILE", "PEM file of certificate authorities to trust for OIDC providers, besides the system's", ""
    )
    plugins_disabled: tuple[str, ...] = _setting("PLUGINS_DISABLED", "Plugins to leave out, comma separated", ())
    plugin_errors: Literal["stop", "skip"] = _setting(
        "PLUGIN_ERRORS", "`stop`: a broken plugin stops the start; `skip`: start without it and log an error", "stop"
    )
    cors_origins: tuple[str, ...] = _setting(
        "CORS_ORIGINS",
        "Origins that browsers may call from (`https://portal.example.com`), comma separated; empty: CORS is off",
        (),
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        "Values of `Host` to answer to, comma separated: `api.example.com` on any port, `api.example.com:8443`,"
        " `.example.com` with its subdomains; empty: any, with `AUTH=off` those of loopback",
        (),
    )
    trusted_proxies: int = _setting(
        "TRUSTED_PROXIES",
        "Number of reverse proxies in front of the gateway, whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted",
        0,
    )
    tls_cert_file: str = _setting("TLS_CERT_FILE", "PEM file of the certificate chain; with the key, TLS is on", "")
    tls_key_file: str = _setting("TLS_KEY_FILE", "PEM file of the certificate's private key", "")
    unsafe_no_auth_beyond_loopback: bool = _setting(
        "UNSAFE_NO_AUTH_BEYOND_LOOPBACK",
        "With `AUTH=off`, listen where others can reach the gateway: every one of them is an admin",
        False,
    )
    rate_limit: str = _setting(
        "RATE_LIMIT",
        "Requests of one caller (`100/second`, `6000/minute`; several with `;`), by address before it is known;"
        " `off`: none. Counted per worker, or together with REDIS_URL",
        "6000/minute",
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "Redis for counts shared by all workers and replicas (`redis://host:6379/0`); empty: each its own",
        "",
        secret=True,
    )
    failed_logins: str = _setting(
        "FAILED_LOGINS", "Refused credentials of one address before it has to wait; `off`: no bound", "20/minute"
    )
    failed_logins_in_all: str = _setting(
        "FAILED_LOGINS_IN_ALL", "Refused credentials of all addresses together; `off`: no bound", "600/minute"
    )
    request_timeout: float = _setting(
        "REQUEST_TIMEOUT", "Time that a request has to come in, head and body, before it is answered 408", 30.0
    )
    answer_timeout: float = _setting(
        "ANSWER_TIMEOUT", "Time that a caller has to read an answer, or each part of a stream", 60.0
    )
    cache_bytes: int = _setting(
        "CACHE_BYTES",
        "Memory of each worker's cache of Omni's objects, which watches keep up to date: half for the objects, half for"
        " rendered responses; 0: no cache, every read is a call to Omni",
        112 * 1024 * 1024,
    )
    max_body_bytes: int = _setting("MAX_BODY_BYTES", "Largest request body", 4 * 1024 * 1024)
    workers: int = _setting("WORKERS", "Worker processes; 0: one per core, at most 4", 0)
    threads: int = _setting("THREADS", "Threads of each worker", 16)
    threads_per_caller: int = _setting(
        "THREADS_PER_CALLER",
        "Of those, how many one caller's requests may use at once; more of them wait. Less than THREADS, so that others"
        " get through; 0: three quarters",
        0,
    )
    max_waiting: int = _setting(
        "MAX_WAITING",
        "Requests that wait for a thread, per worker, and half as many of one caller; more are refused: 503, or 429 for"
        " one caller's",
        256,
    )
    max_streams: int = _setting(
        "MAX_STREAMS",
        "Open streams that hold a thread (logs, files, watches that CACHE_BYTES does not feed), per worker; less than"
        " THREADS, so that requests still get through",
        8,
    )
    max_streams_per_caller: int = _setting("MAX_STREAMS_PER_CALLER", "Of those, one caller's, per worker", 6)
    max_watches: int = _setting("MAX_WATCHES", "Open watches that CACHE_BYTES feeds, per worker", 1000)
    max_watches_per_caller: int = _setting("MAX_WATCHES_PER_CALLER", "Of those, one caller's, per worker", 500)
    omni_timeout: float = _setting(
        "OMNI_TIMEOUT",
        "Time that a request has for its calls to Omni, from its arrival; also the deadline of each call",
        20.0,
    )
    max_list_bytes: int = _setting(
        "MAX_LIST_BYTES",
        "Largest list of one type that is read from Omni whole, where the cache cannot answer; a list that does not fit"
        " into a message of 128 MiB is read by a watch, one at a time in a worker",
        512 * 1024 * 1024,
    )
    fleet: int = _setting("FLEET", "Machines of the embedded Omni", 12)
    audit_file: Path | None = _setting(
        "AUDIT_FILE",
        "File that audit lines are appended to (mode 0600, may be rotated); empty: standard error",
        None,
    )
    audit_retention_days: int = _setting("AUDIT_RETENTION_DAYS", "Days that the store keeps the audit", 90)
    audit_max_rows: int = _setting(
        "AUDIT_MAX_ROWS", "Entries that the store keeps of the audit; the oldest go first; 0: none", 500_000
    )
    readiness_requires: tuple[str, ...] = _setting(
        "READINESS_REQUIRES",
        "Checks of `/readyz` (`omni`, `store`, `<plugin>/<check>`), comma separated, that take a replica out of"
        " service when they fail"
        " after the start; empty: it stays in service and answers 503 itself",
        (),
    )
    drain: float = _setting(
        "DRAIN",
        "How long the gateway goes on serving after SIGTERM while `/readyz` answers 503, so that load balancers turn"
        " away first; not at SIGINT (Ctrl-C), nor with the embedded Omni",
        5.0,
    )
    log_level: str = _setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO")
    log_format: Literal["auto", "json", "text"] = _setting(
        "LOG_FORMAT", "`json`: a line of JSON for each record; `text`: for people; `auto`: text on a terminal", "auto"
    )
    access_log: bool = _setting("ACCESS_LOG", "A line in the log for each request", True)
    embedded: bool = _setting(
        "EMBEDDED", "The Omni behind this gateway is a simulator (`serve` sees that by itself)", False
    )

    @property
    def database_url(self) -> str:
        """Return the store's SQLAlchemy URL."""
        return self.store_url or f"sqlite:///{self.state_dir.resolve() / 'gateway.sqlite'}"

    @property
    def takes_tokens(self) -> bool:
        """Return whether the gateway's own tokens are accepted."""
        return "token" in self.auth

    @property
    def open_on_loopback(self) -> bool:
        """Return whether there is no authentication, for callers on this machine only."""
        return OFF in self.auth and not self.unsafe_no_auth_beyond_loopback

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raise :class:`SettingsError` with the first invalid one."""
        environ = os.environ if environ is None else environ
        merged = {**in_file(environ), **environ}
        values = {each.field.name: each.read(merged) for each in variables_of(cls, PREFIX)}
        try:
            omni = None
            if merged.get("OMNI_ENDPOINT"):
                config = OmniConfig.from_environ(merged, key_needed=values["auth"] != ("omni-key",))
                omni = replace(config, timeout=values["omni_timeout"], max_list_bytes=values["max_list_bytes"])
        except ConfigError as error:
            raise SettingsError(str(error)) from error
        given = {name: text for name, text in merged.items() if name.startswith(PREFIX)}
        settings = cls(omni=omni, environ=given, **values)
        settings.check()
        return settings

    def check(self) -> None:
        """Check ranges, and settings that depend on each other; raise :class:`SettingsError`."""
        if self.bootstrap_token and len(self.bootstrap_token.encode()) < MINIMUM_TOKEN_BYTES:
            raise SettingsError(f"{PREFIX}BOOTSTRAP_TOKEN must have at least {MINIMUM_TOKEN_BYTES} bytes")
        unknown = sorted(set(self.auth) - {*WAYS_IN, OFF})
        if unknown or not self.auth or (OFF in self.auth and len(self.auth) > 1):
            raise SettingsError(f"{PREFIX}AUTH must be {OFF} alone, or some of {', '.join(WAYS_IN)}")
        if self.metrics_bind:
            self._check_metrics_bind()
        if self.oidc_ca_file:
            _check_ca_file(self.oidc_ca_file)
        if not 1 <= self.threads <= 256:
            raise SettingsError(f"{PREFIX}THREADS must be from 1 to 256")
        if not 0 <= self.threads_per_caller <= self.threads:
            raise SettingsError(f"{PREFIX}THREADS_PER_CALLER must be from 0 to {PREFIX}THREADS ({self.threads})")
        if not 1 <= self.max_waiting <= 4096:
            raise SettingsError(f"{PREFIX}MAX_WAITING must be from 1 to 4096")
        if not 0 <= self.max_streams < self.threads:
            raise SettingsError(f"{PREFIX}MAX_STREAMS must be less than {PREFIX}THREADS ({self.threads})")
        if not 1 <= self.audit_retention_days <= 3650:
            raise SettingsError(f"{PREFIX}AUDIT_RETENTION_DAYS must be from 1 to 3650")
        if self.audit_max_rows < 0:
            raise SettingsError(f"{PREFIX}AUDIT_MAX_ROWS must be 0 or more")
        if not 0 <= self.fleet <= 100_000:
            raise SettingsError(f"{PREFIX}FLEET must be from 0 to 100000")
        if self.cache_bytes < 0:
            raise SettingsError(f"{PREFIX}CACHE_BYTES must be 0 or more")
        if self.max_list_bytes < 1:
            raise SettingsError(f"{PREFIX}MAX_LIST_BYTES must be at least 1")
        self._check_limits()
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsError(f"{PREFIX}LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")

    def _check_metrics_bind(self) -> None:
        try:
            address, _ = ip_and_port(self.metrics_bind)
        except ValueError:
            raise SettingsError(f"{PREFIX}METRICS_BIND must be an IP address and a port: 127.0.0.1:9090") from None
        if self.open_on_loopback and not ip_address(address).is_loopback:
            raise SettingsError(f"{PREFIX}METRICS_BIND must be on loopback with {PREFIX}AUTH=off")

    def _check_limits(self) -> None:
        for name in ("rate_limit", "failed_logins", "failed_logins_in_all"):
            self.limits_of(name)
        if self.max_streams_per_caller < 1:
            raise SettingsError(f"{PREFIX}MAX_STREAMS_PER_CALLER must be at least 1")
        if self.max_watches < 0 or self.max_watches_per_caller < 1:
            raise SettingsError(f"{PREFIX}MAX_WATCHES must be 0 or more, {PREFIX}MAX_WATCHES_PER_CALLER at least 1")
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "redis+unix://")):
            raise SettingsError(f"{PREFIX}REDIS_URL must begin with redis://, rediss:// or redis+unix://")
        for origin in self.cors_origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?", origin):
                raise SettingsError(
                    f"{PREFIX}CORS_ORIGINS takes exact origins such as https://a.example, not {origin!r}"
                )
        for host in self.allowed_hosts:
            try:
                Pattern.parse(host)
            except ValueError as error:
                raise SettingsError(f"{PREFIX}ALLOWED_HOSTS: {error}") from error
        if not 0 <= self.trusted_proxies <= 10:
            raise SettingsError(f"{PREFIX}TRUSTED_PROXIES must be from 0 to 10")
        for name, seconds in (("REQUEST_TIMEOUT", self.request_timeout), ("ANSWER_TIMEOUT", self.answer_timeout)):
            if not 1 <= seconds <= 3600:
                raise SettingsError(f"{PREFIX}{name} must be from 1 to 3600 seconds")
        for name, seconds, least, most in (
            ("STORE_TIMEOUT", self.store_timeout, 0.5, 60),
            ("STORE_GRACE", self.store_grace, 0, 86_400),
            ("STORE_START_TIMEOUT", self.store_start_timeout, 0, 3600),
            ("DRAIN", self.drain, 0, 3600),
        ):
            if not least <= seconds <= most:
                raise SettingsError(f"{PREFIX}{name} must be from {least} to {most} seconds")
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise SettingsError(f"{PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE go together")
        for name, path in (("TLS_CERT_FILE", self.tls_cert_file), ("TLS_KEY_FILE", self.tls_key_file)):
            if path and not Path(path).is_file():
                raise SettingsError(f"{PREFIX}{name} names {path!r}, and there is no such file")

    def limits_of(self, name: str) -> list[RateLimitItem]:
        """Return the limits of a rate setting, none if it is off; raise :class:`SettingsError`."""
        text: str = getattr(self, name)
        if text == OFF:
            return []
        try:
            return parse_many(text)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{name.upper()} must be like 100/minute, or off, not {text!r}") from error


def _check_ca_file(path: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
        raise SettingsError(f"{PREFIX}OIDC_CA_FILE names {path!r}, which cannot be read: {reason}") from error
