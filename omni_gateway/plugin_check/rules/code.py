"""Rules of the source: what it imports, what it does at import, what it keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.source import Module, dotted
from omni_gateway.plugin_check.subject import Subject

_PACKAGE = "omni_gateway"
#: Modules whose functions talk to something outside of the process, and what is not a call of it.
_INPUT_OUTPUT = ("requests.", "httpx.", "socket.", "subprocess.", "sqlite3.connect", "psycopg.connect", "redis.")
_FILES = ("open", "urllib.request.urlopen", "os.popen", "os.system")
_THREADS = (
    "threading.Thread",
    "Thread",
    "threading.Timer",
    "ThreadPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
)
_METHODS_OF_FILES = ("read_text", "read_bytes", "write_text", "write_bytes")
_HOOKS = (
    "before_app_request",
    "after_app_request",
    "teardown_app_request",
    "app_errorhandler",
    "app_context_processor",
    "app_url_value_preprocessor",
)
_CLOCKS = ("time.time", "time.time_ns", "time.monotonic", "datetime.now", "datetime.datetime.now", "datetime.utcnow")
_REQUESTS = re.compile(r"(requests|httpx)\.(get|post|put|patch|delete|head|request)|urllib\.request\.urlopen")
_LOG = re.compile(r"(?:^|\.)(log|logger|logging)\.(debug|info|warning|error|exception|critical)$|^print$")
_SECRET = re.compile(r"(?i)(secret|password|private_?key|api_?key|credential)s?$|(?:^|_)token$")
_MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
_CHANGES = frozenset(
    {"append", "add", "update", "extend", "pop", "popitem", "clear", "remove", "discard", "insert", "setdefault"}
)


@rule("private-imports", Grade.BRONZE)
def private_imports(subject: Subject) -> Iterator[Fault]:
    """Of the gateway it imports omni_gateway.sdk and its public submodules only."""
    for module in subject.modules:
        for node in module.nodes:
            for name in _imported(node):
                if _is_private(name):
                    yield Fault(
                        f"it imports {name}, which is private and may change in any version",
                        "import the name from omni_gateway.sdk or one of its modules; if it is in none, ask for it",
                        module.at(node),
                    )


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        if node.module == _PACKAGE:
            return [f"{_PACKAGE}.{alias.name}" for alias in node.names]
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names if alias.name.startswith("_"))]
    return []


def _is_private(name: str) -> bool:
    parts = name.split(".")
    if parts[0] != _PACKAGE:
        return False
    return parts[1:2] != ["sdk"] or any(part.startswith("_") for part in parts)


@rule("import-effects", Grade.GOLD)
def import_effects(subject: Subject) -> Iterator[Fault]:
    """Its import opens nothing, calls nothing and starts no thread: it happens once, before the workers are forked."""
    for module in subject.modules:
        for node in module.run_at_import():
            if isinstance(node, ast.Call) and (what := _effect(node)):
                yield Fault(
                    f"its import {what} ({ast.unparse(node.func)}), before the workers are forked",
                    "do it on first use, inside of a function",
                    module.at(node),
                )


def _effect(call: ast.Call) -> str:
    name = dotted(call.func)
    if name in _THREADS:
        return "makes a thread"
    if name in _FILES or name.startswith(_INPUT_OUTPUT):
        return "opens something"
    last = call.func.attr if isinstance(call.func, ast.Attribute) else name
    if last in _METHODS_OF_FILES and "files(" not in ast.unparse(call.func):
        return "reads or writes a file"
    return "reads a clock" if name in _CLOCKS else ""


@rule("app-hooks", Grade.BRONZE)
def app_hooks(subject: Subject) -> Iterator[Fault]:
    """It adds no hook of the whole application, which would act on routes of others."""
    for module in subject.modules:
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and node.attr in _HOOKS:
                own = node.attr.replace("_app_", "_").replace("app_", "")
                yield Fault(
                    f"it uses {node.attr}, which acts on the routes of the whole application",
                    f"use {own} of its own blueprint",
                    module.at(node),
                )


@rule("module-state", Grade.GOLD)
def module_state(subject: Subject) -> Iterator[Fault]:
    """No variable of a module is changed after the import: each worker would have its own."""
    for module in subject.modules:
        names = _mutable_names(module)
        for function in module.nodes:
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                if name := _changed(node, names):
                    yield Fault(
                        f"the function {function.name} changes {name!r} of the module: each worker has its own",
                        "keep it in the back end or in the gateway's store",
                        module.at(node),
                    )


def _mutable_names(module: Module) -> set[str]:
    names = set()
    for node in module.tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, _MUTABLE):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _changed(node: ast.AST, names: set[str]) -> str:
    """Return the name of a module's variable that a statement changes; empty if it changes none."""
    if isinstance(node, ast.Global):
        return node.names[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
        name = dotted(node.func.value)
        return name if name in names else ""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
        targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
        for target in targets:
            if isinstance(target, ast.Subscript) and dotted(target.value) in names:
                return dotted(target.value)
    return ""


@rule("adapter-state", Grade.GOLD)
def adapter_state(subject: Subject) -> Iterator[Fault]:
    """Methods of adapters do not keep anything in the adapter, which the threads of a worker share."""
    for module in subject.modules:
        for node in module.nodes:
            if not isinstance(node, ast.ClassDef) or not any("Adapter" in dotted(base) for base in node.bases):
                continue
            for method in node.body:
                if not isinstance(method, ast.FunctionDef) or method.name in ("__init__", "bind"):
                    continue
                for inner in ast.walk(method):
                    if name := _kept(inner):
                        yield Fault(
                            f"{node.name}.{method.name} keeps {name!r} in the adapter, which threads share",
                            "pass it as an argument, or keep it in the back end",
                            module.at(inner),
                        )


def _kept(node: ast.AST) -> str:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    found = [target for target in targets if isinstance(target, ast.Attribute) and dotted(target.value) == "self"]
    return f"self.{found[0].attr}" if found else ""


@rule("version-from-clock", Grade.GOLD)
def version_from_clock(subject: Subject) -> Iterator[Fault]:
    """The version of an object does not come from a clock: two reads of one object would differ."""
    for module in subject.modules:
        for call, name in module.calls():
            if name.rpartition(".")[2] not in ("Resource", "replace"):
                continue
            for keyword in call.keywords:
                clocks = [dotted(inner.func) for inner in ast.walk(keyword.value) if isinstance(inner, ast.Call)]
                if keyword.arg == "version" and any(clock in _CLOCKS for clock in clocks):
                    yield Fault(
                        "the version of an object is read from a clock",
                        "take one that the back end counts up with each write",
                        module.at(keyword.value),
                    )


@rule("time-limits", Grade.GOLD)
def time_limits(subject: Subject) -> Iterator[Fault]:
    """Each HTTP call of its own has a time limit: a thread that waits is one less for callers."""
    for module in subject.modules:
        for call, name in module.calls():
            if _REQUESTS.fullmatch(name) and not any(keyword.arg in ("timeout", None) for keyword in call.keywords):
                yield Fault(f"{name} has no time limit", "write timeout=", module.at(call))


@rule("secrets-logged", Grade.BRONZE)
def secrets_logged(subject: Subject) -> Iterator[Fault]:
    """No variable with the name of a credential is logged or printed."""
    for module in subject.modules:
        for call, name in module.calls():
            if not _LOG.search(name):
                continue
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                for node in ast.walk(argument):
                    word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
                    if isinstance(node, (ast.Name, ast.Attribute)) and _SECRET.search(word):
                        yield Fault(f"{name} writes {word!r}", "leave it out of the log", module.at(call))


@rule("no-print", Grade.GOLD)
def no_print(subject: Subject) -> Iterator[Fault]:
    """It logs and does not print: standard output has no level, time or request id."""
    for module in subject.modules:
        for call, name in module.calls():
            if name == "print":
                yield Fault("it prints", "write logging.getLogger(__name__).info(...)", module.at(call))


@rule("type-annotations", Grade.PLATINUM)
def type_annotations(subject: Subject) -> Iterator[Fault]:
    """Each function says the types of its parameters and of what it returns."""
    for module in subject.modules:
        for node in module.nodes:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [each.arg for each in given if each.annotation is None and each.arg not in ("self", "cls")]
            if node.returns is None:
                bare.append("what it returns")
            if bare:
                yield Fault(
                    f"the function {node.name} has no annotation of {', '.join(bare)}",
                    "write the types; mypy checks them against the SDK's",
                    module.at(node),
                )
