"""From a syntax tree to what a file declares. Quotes the original text, never the masked one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from backport.csource.outline import outline
from backport.csource.source import (
    Constant,
    Function,
    Local,
    Macro,
    Made,
    Member,
    Param,
    Source,
    Span,
    Type,
    Typedef,
    Variable,
)
from backport.csource.tokens import blank_comments

_TYPES = ("struct_specifier", "union_specifier", "enum_specifier")
_OUTER = ("translation_unit", "ERROR", "linkage_specification", "declaration_list")
_INNER = ("if", "else", "elif", "ifdef", "elifdef")
_MADE_BY = re.compile(rb"\b((?:COMPAT_)?SYSCALL\w*DEFINE\w*)\s*\(")
_SPACE = re.compile(rb"[\s\\]+")


def collect(root: Node, text: bytes, masked: bytes, errors: tuple[Span, ...], offset: int = 0) -> Source:
    """Everything at file scope below `root`, branches of #if and pieces inside parse errors included."""
    return _Collector(text, masked, errors, offset).collect(root)


class _Collector:
    """One walk of a tree. Iterative: a generated table nests as deep as it likes."""

    def __init__(self, text: bytes, masked: bytes, errors: tuple[Span, ...], offset: int) -> None:
        self._text = text
        self._masked = masked
        self._errors = errors
        self._offset = offset
        self._functions: list[Function] = []
        self._prototypes: list[Function] = []
        self._macros: list[Macro] = []
        self._types: list[Type] = []
        self._typedefs: list[Typedef] = []
        self._constants: list[Constant] = []
        self._variables: list[Variable] = []

    def collect(self, root: Node) -> Source:
        pending = [root]
        while pending:
            node = pending.pop()
            kind = node.type
            if kind == "function_definition":
                self._function(node)
            elif kind == "declaration":
                self._declaration(node)
            elif kind == "type_definition":
                self._typedef(node)
            elif kind in ("preproc_def", "preproc_function_def"):
                self._macro(node)
            elif kind in _TYPES:
                self._type(node, b"")
            elif kind in _OUTER or kind.startswith("preproc_"):
                pending.extend(reversed(node.named_children))
        made = tuple(self._made())
        return Source(
            tuple(self._functions),
            tuple(self._prototypes),
            tuple(self._macros),
            tuple(self._types),
            tuple(self._typedefs),
            tuple(self._constants),
            tuple(self._variables),
            made,
            self._errors,
        )

    # --- file scope ---------------------------------------------------------------------------------------------------

    def _function(self, node: Node) -> None:
        declarator, body = node.child_by_field_name("declarator"), node.child_by_field_name("body")
        found = _function_declarator(declarator)
        if found is None or body is None:
            return
        name = _declared(found)
        if name is None:
            return
        head = self._text[node.start_byte : body.start_byte]
        made = _MADE_BY.search(head)
        spelled = self._quote(name)
        if made:  # the mask has moved the name of SYSCALL_DEFINE0 by a byte
            spelled = b"sys_" + self._masked[name.start_byte : name.end_byte]
        self._functions.append(self._described(node, found, spelled, body, made.group(1) if made else b""))

    def _described(self, node: Node, declarator: Node, name: bytes, body: Node | None, made_by: bytes) -> Function:
        parameters = declarator.child_by_field_name("parameters")
        children = parameters.named_children if parameters is not None else []
        params = tuple(self._param(child) for child in children if child.type == "parameter_declaration")
        if len(params) == 1 and params[0] == Param(b"", b"void"):
            params = ()
        words = self._specifiers(node)
        scope = tuple(self._locals(children, body)) if body is not None else ()
        return Function(
            name=name,
            returns=self._returned(node, declarator),
            params=params,
            variadic=any(child.type == "variadic_parameter" for child in children),
            static=b"static" in words,
            inline=any(word.strip(b"_") in (b"inline", b"always_inline") for word in words),
            span=self._span(node),
            body=self._span(body) if body is not None else None,
            made_by=made_by,
            broken=node.has_error,
            locals=scope,
        )

    def _specifiers(self, node: Node) -> list[bytes]:
        kinds = ("storage_class_specifier", "type_qualifier")
        words = [self._quote(child) for child in node.children if child.type in kinds]
        head = self._text[node.start_byte : node.start_byte + 200].split(b"(", 1)[0]
        return words + [word for word in head.split() if b"inline" in word]

    def _returned(self, node: Node, declarator: Node) -> bytes:
        kind = node.child_by_field_name("type")
        outer = node.child_by_field_name("declarator")
        stars = self._masked[outer.start_byte : declarator.start_byte].count(b"*") if outer is not None else 0
        spelled = self._masked[kind.start_byte : kind.end_byte] if kind is not None else b""
        return spelled + (b" " + b"*" * stars if stars else b"")

    def _param(self, node: Node) -> Param:
        kind, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
        name = _declared(declarator) if declarator is not None else None
        spelled = self._quote(name) if name is not None else b""
        whole = self._masked[node.start_byte : node.end_byte]
        if name is not None:
            at = name.start_byte - node.start_byte
            whole = whole[:at] + b" " + whole[at + len(spelled) :]
        return Param(spelled, _squeeze(whole) if kind is not None else b"")

    def _declaration(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        if kind is not None and kind.type in _TYPES:
            self._type(kind, b"")
        words = self._specifiers(node)
        storage = next((word.decode() for word in (b"static", b"extern") if word in words), "")
        for declarator in node.children_by_field_name("declarator"):
            function = _function_declarator(declarator)
            name = _declared(declarator)
            if name is None:
                continue
            if function is not None and not _is_pointer(function):
                self._prototypes.append(self._described(node, function, self._quote(name), None, b""))
            else:
                spelled = self._type_of(node, declarator, name)
                self._variables.append(Variable(self._quote(name), spelled, storage, self._line(name)))

    def _type_of(self, node: Node, declarator: Node, name: Node) -> bytes:
        kind = node.child_by_field_name("type")
        body = kind.child_by_field_name("body") if kind is not None else None
        end = body.start_byte if body is not None else kind.end_byte if kind is not None else node.start_byte
        before = self._masked[node.start_byte : end] if kind is not None else b""
        inner = declarator.child_by_field_name("declarator") if declarator.type == "init_declarator" else declarator
        around = inner if inner is not None else declarator
        own = self._masked[around.start_byte : name.start_byte] + b" " + self._masked[name.end_byte : around.end_byte]
        words = [word for word in before.split() if word not in (b"static", b"extern")]
        return _squeeze(b" ".join(words) + b" " + own)

    def _typedef(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        declarators = node.children_by_field_name("declarator")
        names = [name for name in (_declared(d) for d in declarators) if name is not None]
        if kind is not None and kind.type in _TYPES:
            self._type(kind, self._quote(names[0]) if names else b"")
        for declarator, name in zip(declarators, names, strict=False):
            spelled = self._type_of(node, declarator, name).removeprefix(b"typedef ")
            self._typedefs.append(Typedef(self._quote(name), spelled, self._line(name)))

    def _macro(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        params = node.child_by_field_name("parameters")
        if name is None:
            return
        given = None
        if params is not None:
            given = tuple(self._quote(p) for p in params.children if p.type in ("identifier", "..."))
        body = blank_comments(self._text[value.start_byte : value.end_byte]) if value is not None else b""
        end = value if value is not None else params if params is not None else name
        span = Span(node.start_byte, end.end_byte, self._line(node), end.end_point.row + 1 + self._offset)
        self._macros.append(Macro(self._quote(name), given, _squeeze(body), span))

    # --- types --------------------------------------------------------------------------------------------------------

    def _type(self, node: Node, otherwise: bytes) -> None:
        body, tag = node.child_by_field_name("body"), node.child_by_field_name("name")
        if body is None:
            return
        name = self._quote(tag) if tag is not None else otherwise
        kind = node.type.removesuffix("_specifier")
        if kind == "enum":
            self._enumerators(body, name)
        members = tuple(self._members(body, ())) if kind != "enum" else ()
        self._types.append(Type(kind, name, members, self._span(node)))

    def _enumerators(self, body: Node, enum: bytes) -> None:
        for child in _flat(body):
            if child.type == "enumerator":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name is not None:
                    spelled = _squeeze(self._quote(value)) if value is not None else b""
                    self._constants.append(Constant(self._quote(name), enum, spelled, self._line(name)))

    def _members(self, body: Node, path: tuple[bytes, ...]) -> Iterator[Member]:
        for field in _flat(body):
            if field.type != "field_declaration":
                continue
            kind = field.child_by_field_name("type")
            inner = kind.child_by_field_name("body") if kind is not None and kind.type in _TYPES else None
            names = []
            for declarator in field.children_by_field_name("declarator"):
                name = _declared(declarator)
                if name is not None:
                    names.append(self._quote(name))
                    spelled = self._type_of(field, declarator, name)
                    yield Member(names[-1], spelled, self._bits(field), (*path, names[-1]), self._line(name))
            if inner is not None and kind is not None and kind.type != "enum_specifier" and len(path) < 20:
                yield from self._members(inner, (*path, names[0]) if names else path)
                tag = kind.child_by_field_name("name")
                if tag is not None:
                    nested = tuple(self._members(inner, ()))
                    self._types.append(Type(kind.type.removesuffix("_specifier"), self._quote(tag), nested, self._span(kind)))
            elif inner is not None and kind is not None and kind.type == "enum_specifier":
                self._type(kind, b"")

    def _bits(self, field: Node) -> int:
        clause = next((child for child in field.children if child.type == "bitfield_clause"), None)
        digits = self._quote(clause).lstrip(b": \t") if clause is not None else b""
        return int(digits) if digits.isdigit() else 0 if clause is not None else -1

    # --- inside functions ---------------------------------------------------------------------------------------------

    def _locals(self, parameters: list[Node], body: Node) -> Iterator[Local]:
        for parameter in parameters:
            name = _declared(parameter.child_by_field_name("declarator"))
            if name is not None:
                yield Local(self._quote(name), "parameter", self._line(name))
        pending = [body]
        while pending:
            node = pending.pop()
            if node.type == "labeled_statement":
                label = node.child_by_field_name("label")
                if label is not None:
                    yield Local(self._quote(label), "label", self._line(label))
            elif node.type == "declaration":
                for declarator in node.children_by_field_name("declarator"):
                    name = _declared(declarator)
                    if name is not None:
                        yield Local(self._quote(name), "local", self._line(name))
            elif node.type in _TYPES and node.child_by_field_name("body") is not None:
                tag = node.child_by_field_name("name")
                if tag is not None:
                    yield Local(self._quote(tag), node.type.removesuffix("_specifier"), self._line(tag))
            elif node.type == "enumerator":
                name = node.child_by_field_name("name")
                if name is not None:
                    yield Local(self._quote(name), "constant", self._line(name))
            pending.extend(reversed(node.named_children))

    # --- small things -------------------------------------------------------------------------------------------------

    def _made(self) -> Iterator[Made]:
        """Macro calls at file scope: the mask has blanked or respelled them, the outline reads them."""
        calls: dict[tuple[bytes, int], list[bytes]] = {}
        for found in outline(self._text).declarations:
            if found.kind == "made":
                head = found.signature.removeprefix(b"static ").removeprefix(b"extern ")
                calls.setdefault((head.split(b"(", 1)[0].strip(), found.line), []).append(found.name)
        for (macro, line), arguments in calls.items():
            yield Made(macro, tuple(arguments), line + self._offset)

    def _quote(self, node: Node) -> bytes:
        return self._text[node.start_byte : node.end_byte]

    def _line(self, node: Node) -> int:
        return node.start_point.row + 1 + self._offset

    def _span(self, node: Node) -> Span:
        return Span(node.start_byte, node.end_byte, self._line(node), node.end_point.row + 1 + self._offset)


def _flat(body: Node) -> Iterator[Node]:
    """The children of a body, those within branches of #if included."""
    pending = list(reversed(body.named_children))
    while pending:
        node = pending.pop()
        if node.type.startswith("preproc_") and node.type[8:] in _INNER:
            pending.extend(reversed(node.named_children))
        else:
            yield node


def _declared(declarator: Node | None) -> Node | None:
    """The identifier that a declarator declares, under its stars, brackets and initialiser."""
    node = declarator
    while node is not None and node.type not in ("identifier", "field_identifier", "type_identifier"):
        inner = node.child_by_field_name("declarator")
        if inner is None:
            candidates = [c for c in node.named_children if c.type.endswith(("declarator", "identifier"))]
            inner = candidates[0] if candidates else None
        node = inner
    return node


def _function_declarator(declarator: Node | None) -> Node | None:
    """The innermost function declarator: for `int (*f(int a))(int)` that of f."""
    node, found = declarator, None
    while node is not None:
        if node.type == "function_declarator":
            found = node
        inner = node.child_by_field_name("declarator")
        node = inner if inner is not None else next((c for c in node.named_children if c.type.endswith("declarator")), None)
    return found


def _is_pointer(function: Node) -> bool:
    """Whether what looks like a function is a pointer to one: `int (*f)(int)`."""
    inner = function.child_by_field_name("declarator")
    bracketed = inner is not None and inner.type == "parenthesized_declarator"
    return inner is not None and bracketed and any("pointer" in child.type for child in inner.named_children)


def _squeeze(text: bytes) -> bytes:
    return _SPACE.sub(b" ", text).strip()
