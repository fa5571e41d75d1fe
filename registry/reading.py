"""Reading what source text declares: ports, parameters and docstrings, by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowquake.docstrings import ParameterDoc, parameter_docs
from flowquake.registry.entries import ParameterEntry, PortEntry

GROUPINGS = ("by", "to", "order", "lateness", "optional")


@dataclass(frozen=True, kw_only=True)
class ClassSource:
    """A class as its text says it, before its bases are looked at."""

    name: str
    module: str
    bases: tuple[str, ...]
    docstring: str
    inputs: tuple[PortEntry, ...] = ()
    outputs: tuple[PortEntry, ...] = ()
    state: str | None = None
    parameters: tuple[ParameterEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModuleSource:
    """What one file declares."""

    name: str
    docstring: str = ""
    classes: tuple[ClassSource, ...] = ()
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()


def read_module(name: str, path: Path) -> ModuleSource:
    """Read a file; one that is not Python declares nothing."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ModuleSource(name=name)
    classes = [
        read_class(node, name) for node in _statements(tree.body) if isinstance(node, ast.ClassDef)
    ]
    functions = {
        node.name: node for node in _statements(tree.body) if isinstance(node, ast.FunctionDef)
    }
    for node in functions.values():
        if any(_last_name(decorator) == "element" for decorator in node.decorator_list):
            classes.append(read_function_element(node, name))
    return ModuleSource(
        name=name,
        docstring=ast.get_docstring(tree) or "",
        classes=tuple(classes),
        functions=functions,
        constants=dict(_constants(tree)),
        exports=frozenset(_exports(tree)),
    )


def read_class(node: ast.ClassDef, module: str) -> ClassSource:
    """Read the ports, state and parameters that a class declares itself."""
    docstring = ast.get_docstring(node) or ""
    docs = parameter_docs(docstring)
    inputs, outputs, parameters = [], [], []
    state = None
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            entry = _parameter(statement.target.id, statement.annotation, statement.value, docs)
            if entry is not None:
                parameters.append(entry)
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            continue
        target, call = statement.targets[0], statement.value
        if not isinstance(target, ast.Name):
            continue
        kind = _last_name(call.func)
        if kind == "Input":
            inputs.append(_port(target.id, call))
        elif kind == "Output":
            outputs.append(_port(target.id, call))
        elif kind == "State" and call.args:
            state = ast.unparse(call.args[0])
    return ClassSource(
        name=node.name,
        module=module,
        bases=tuple(_last_name(base) for base in node.bases),
        docstring=docstring,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        state=state,
        parameters=tuple(parameters),
    )


def read_function_element(node: ast.FunctionDef, module: str) -> ClassSource:
    """Read a function that ``@element`` makes an element of."""
    docs = parameter_docs(ast.get_docstring(node))
    first, *options = read_arguments(node, docs) or [ParameterEntry(name="item", type="object")]
    returned = ast.unparse(node.returns) if node.returns is not None else "object"
    return ClassSource(
        name=node.name,
        module=module,
        bases=("ProcessingElement",),
        docstring=ast.get_docstring(node) or "",
        inputs=(PortEntry(name=first.name, type=first.type),),
        outputs=(PortEntry(name="out", type=returned),),
        parameters=tuple(options),
    )


def read_arguments(
    node: ast.FunctionDef, docs: dict[str, ParameterDoc] | None = None
) -> list[ParameterEntry]:
    """Read the parameters of a function."""
    docs = parameter_docs(ast.get_docstring(node)) if docs is None else docs
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    defaults += given.defaults
    pairs = [*zip(positional, defaults, strict=True)]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        ParameterEntry(
            name=argument.arg,
            type=ast.unparse(argument.annotation) if argument.annotation else "str",
            default=_default(default),
            help=docs[argument.arg].text if argument.arg in docs else "",
        )
        for argument, default in pairs
    ]


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            yield from _statements(node.body)
            yield from _statements(node.orelse)


def _parameter(
    name: str, annotation: ast.expr, value: ast.expr | None, docs: dict[str, ParameterDoc]
) -> ParameterEntry | None:
    kind = ast.unparse(annotation)
    if name.startswith("_") or kind.split("[")[0].split(".")[-1] in ("ClassVar", "Final"):
        return None
    return ParameterEntry(
        name=name,
        type=kind,
        default=_default(value),
        help=docs[name].text if name in docs else "",
    )


def _default(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call) and _last_name(value.func) == "field":
        for keyword in value.keywords:
            if keyword.arg == "default":
                return ast.unparse(keyword.value)
            if keyword.arg == "default_factory":
                made = ast.unparse(keyword.value)
                empty = {"list": "[]", "dict": "{}", "tuple": "()", "set": "set()"}
                return empty.get(made, made.removeprefix("lambda: "))
        return None
    return None if value is None else ast.unparse(value)


def _port(name: str, call: ast.Call) -> PortEntry:
    words = []
    for keyword in call.keywords:
        if keyword.arg in GROUPINGS:
            value = keyword.value
            text = str(value.value) if isinstance(value, ast.Constant) else ast.unparse(value)
            words.append("optional" if keyword.arg == "optional" else f"{keyword.arg} {text}")
    kind = ast.unparse(call.args[0]) if call.args else "object"
    return PortEntry(name=name, type=kind, grouping=", ".join(words))


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give the named literals, so that a default can be shown by its value."""
    for node in tree.body:
        target: ast.expr | None = None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)):
            value = node.value
            if isinstance(value, ast.UnaryOp | ast.Constant):
                yield target.id, ast.unparse(value)


def _exports(tree: ast.Module) -> Iterator[str]:
    """Give the names that a package hands on: imported, in __all__ or in a lazy table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript | ast.Call):
        return _last_name(node.value if isinstance(node, ast.Subscript) else node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
