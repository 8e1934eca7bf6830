"""What one outermost construct of a C file declares, from its head: `static int foo(int a)`, `struct x { ... } y, *z`.

Patterns over one head at a time; the heads come from `outline`, blanked, on one line. May be wrong where a macro stands
for a type, a name and a bracket at once: `STATIC_INLINE(int) foo(x)` gives foo, `int BUILD_IO(b, char)(x)` gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.csource.mask import without_annotations

Declared = tuple[bytes, str, int, bytes]  # name, kind, offset inside the braces or -1, signature

_PARENS = re.compile(rb"\((?:[^()]|\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))*\)")
_ATTRIBUTE = re.compile(
    rb"\b(?:__attribute__|__attribute|__declspec|__asm__|asm|__aligned|__section|__printf|__acquires|__releases"
    rb"|__must_hold|__alias|__asm)\s*(\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))"
)
_STRAY_CALL = re.compile(
    rb"^(?:\s*(?:EXPORT_\w+|MODULE_\w+|module_\w+|\w+_initcall(?:_sync)?|early_param|__setup\w*|[A-Z][A-Z0-9_]+)\s*\([^()]*\))+\s+(?=\w)"
)
_CALL = re.compile(rb"^(?:(?:static|extern|const|inline)\s+)*([A-Za-z_]\w*)\s*(\(.*\))$", re.S)
_TAG = re.compile(rb"\b(struct|union|enum)\b\s*(?:__\w+\s+)*([A-Za-z_]\w*)?\s*(?:__\w+\s*)*$")
_FORWARD = re.compile(rb"^(struct|union|enum)\s+(\w+)$")
_FUNCTION_POINTER = re.compile(rb"\(\s*(?:\w+\s+)*[*^]\s*(?:const\s+|volatile\s+|__\w+\s+)*(\w+)\s*(?:\[[^]]*\]\s*)*(?:\(|\))")
_BRACKETED = re.compile(rb"\(\s*(\w+)\s*\)\s*\(")  # typedef int (elevator_merge_fn)(struct request *)
_NAME = re.compile(rb"([A-Za-z_$][\w$]*)\s*$")
_TRAILING_WORDS = re.compile(rb"\)(?:\s+[A-Z_]{4,})+$")  # void do_exit(long code) ATTRIB_NORET
_WORD = re.compile(rb"[A-Za-z_$][\w$]*")
# A macro call may stand before a constant: `KMAP_D(0) KM_BOUNCE_READ` of asm-generic/kmap_types.h; its brackets are bytes 4.
_ENUMERATOR = re.compile(rb"(?:^|,)[\s\x01-\x03]*(?:\w+\s*\x04+[\s\x01-\x03]*)?([A-Za-z_]\w*)[\s\x01-\x03]*(?=[=,]|$)")
_INDEX = re.compile(rb"\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]")
_STATEMENT = re.compile(rb"[^;{}\x01-\x03]+|[;{}]")
_SIMPLE_FUNCTION = re.compile(rb"(?:[A-Za-z_]\w*[\s*]+)+([A-Za-z]\w*)\s*\([^()]*\)$")
_STORAGE = (b"static", b"extern", b"inline", b"static inline", b"static const")
_SIMPLE_MEMBER = re.compile(rb"\s*(?:[A-Za-z]\w*\s+){1,4}[*\s]*([A-Za-z]\w*)\s*(?::\s*\d+\s*|\[\w+\]\s*)?$")
_SILENT = re.compile(rb"EXPORT_|MODULE_(?!PARM)|ACPI_EXPORT|BUILD_BUG|\w+_initcall|early_param|__setup|asm|__asm__|INIT_MACHINE")
_TYPE_WORDS = frozenset(
    b"int char short long unsigned signed void float double const volatile static extern inline register struct union enum "
    b"if while for switch return sizeof else do case default goto".split()
)


def names_declared(head: bytes, body: bytes | None, tail: bytes) -> Iterator[Declared]:
    """Every name that `head { body } tail;` declares, with kind, place in the body, and signature. No body: None."""
    simple = _SIMPLE_FUNCTION.match(head)
    if simple and not head.startswith(b"typedef") and head[: simple.start(1)].strip() not in _STORAGE:  # nine heads of ten
        yield simple.group(1), "prototype" if body is None else "function", -1, head
        return
    if b"(" in head:
        head = _STRAY_CALL.sub(b"", _ATTRIBUTE.sub(b" ", head)).strip()
    head = without_annotations(head).strip()
    if b"__" in tail:
        tail = without_annotations(_ATTRIBUTE.sub(b" ", tail)).strip()
    if head.startswith(b"typedef"):
        yield from _typedef(head[7:].strip(), body, tail)
    elif body is None:
        yield from _plain(head)
    elif (tag := _TAG.search(_before_initialiser(head))) and b"=" not in head:
        yield from _type(tag, body)
        if tail:
            yield from _variables(tail, head.startswith(b"extern"), head)
    elif _looks_like_initialiser(head):
        declaration = _before_initialiser(head)
        made = list(_made(declaration))
        yield from made or _variables(declaration, head.startswith(b"extern"), head)
    else:
        yield from _function(head, "function")


def _plain(head: bytes) -> Iterator[Declared]:
    """A construct without braces: prototypes, variables, a forward declaration, a macro call."""
    declaration = _before_initialiser(head)
    forward = _FORWARD.match(declaration)
    if forward:
        yield forward.group(2), "forward", -1, declaration
        return
    if b"(" in declaration and _call(declaration):
        yield from _made(declaration)
        return
    declaration = _TRAILING_WORDS.sub(b")", declaration)
    if declaration.endswith(b")") and not _FUNCTION_POINTER.search(_outer(declaration)):
        yield from _function(declaration, "prototype")
    else:
        yield from _variables(declaration, head.startswith(b"extern"), declaration)


def _call(declaration: bytes) -> tuple[bytes, bytes] | None:
    """A macro call at file scope, `DEFINE_MUTEX(foo)`: no type before the name, one bracket group. Name and arguments."""
    match = _CALL.match(declaration)
    if not match or match.group(1) in _TYPE_WORDS or not _PARENS.fullmatch(match.group(2)):
        return None
    return match.group(1), match.group(2)[1:-1]


def _function(head: bytes, kind: str) -> Iterator[Declared]:
    """`type name(params)` with annotations around it; the last outermost bracket group is the parameter list."""
    groups = list(_PARENS.finditer(head))
    if not groups:
        return
    pointer = re.search(rb"\(\s*\*\s*(\w+)\s*\(", head)  # int (*foo(int a))(int)
    if pointer and pointer.start() == groups[0].start():
        yield pointer.group(1), kind, -1, head
        return
    for group in reversed(groups):
        name = _NAME.search(head, 0, group.start())
        if not name or name.group(1) in _TYPE_WORDS:
            continue
        rest = head[group.end() :].strip()
        if name.group(1).startswith(b"__") and len(groups) > 1 and not rest and group is not groups[0]:
            continue  # a trailing annotation: __releases(lock)
        if kind == "function" and re.match(rb"(?:COMPAT_)?SYSCALL\w*DEFINE", name.group(1)):
            first = _WORD.search(group.group())
            if first:
                yield b"sys_" + first.group(), kind, -1, head
                yield first.group(), "made", -1, head
            return
        yield name.group(1), kind, -1, head
        if not head[: name.start()].strip() or name.group(1).isupper():
            yield from _made(head)
        return


def _typedef(head: bytes, body: bytes | None, tail: bytes) -> Iterator[Declared]:
    if body is not None:
        tag = _TAG.search(head)
        if tag:
            yield from _type(tag, body)
        declaration = tail
        signature = b"typedef " + head + b" {...} " + tail
    else:
        declaration, signature = head, b"typedef " + head
    for part in _split(declaration):
        name = _declarator_name(part)
        if name:
            yield name, "typedef", -1, signature


def _type(tag: re.Match[bytes], body: bytes) -> Iterator[Declared]:
    keyword, name = tag.group(1), tag.group(2) or b""
    if name:
        yield name, keyword.decode(), -1, keyword + b" " + name
    yield from (_enumerators(body, name) if keyword == b"enum" else _members(body, name))


def _enumerators(body: bytes, owner: bytes) -> Iterator[Declared]:
    flat = body
    for _ in range(6):  # brackets in values hide their commas
        flat, done = re.subn(rb"\([^()]*\)", lambda m: b"\4" * len(m.group()), flat)
        if not done:
            break
    for match in _ENUMERATOR.finditer(flat):
        yield match.group(1), "constant", match.start(1), b"enum " + owner


def _members(body: bytes, owner: bytes) -> Iterator[Declared]:
    """Members at any depth: nested and anonymous structs, bit-fields, function pointers. Owner is the outermost tag."""
    start = None
    for match in _STATEMENT.finditer(body):
        text = match.group()
        if text in (b"{", b"}"):
            start = None if text == b"{" else match.end()
            continue
        if text == b";":
            continue
        start = match.start()
        if body[match.end() : match.end() + 1] == b"{":
            tag = _TAG.search(text)
            if tag and tag.group(2):
                yield tag.group(2), tag.group(1).decode(), start + tag.start(2), tag.group(1) + b" " + tag.group(2)
            continue
        spelled = owner + b"\0" + b" ".join(text.translate(None, b"\1\2\3").split())
        for name, offset in _member_names(text):
            yield name, "member", start + offset, spelled


def _member_names(text: bytes) -> Iterator[tuple[bytes, int]]:
    simple = _SIMPLE_MEMBER.match(text)
    if simple:
        yield simple.group(1), simple.start(1)
        return
    plain = _ATTRIBUTE.sub(lambda m: b" " * len(m.group()), text)
    pointer = _FUNCTION_POINTER.search(plain)
    if pointer:
        yield pointer.group(1), pointer.start(1)
        return
    if b"(" in plain and _call(plain.strip()):  # DECLARE_BITMAP(name, bits)
        for word in _WORD.finditer(plain, plain.index(b"(")):
            yield word.group(), word.start()
        return
    position = 0
    for part in _split(plain):
        name = _declarator_name(part)
        if name:
            yield name, max(plain.find(name, position), position)
        position += len(part) + 1


def _variables(declaration: bytes, is_extern: bool, signature: bytes) -> Iterator[Declared]:
    for part in _split(declaration):
        name = _declarator_name(part)
        if name and name not in _TYPE_WORDS:
            yield name, "extern" if is_extern else "variable", -1, signature


def _made(declaration: bytes) -> Iterator[Declared]:
    """The plain words among the arguments of a macro call at file scope: each may be what it declares."""
    call = _call(declaration)
    if not call or _SILENT.match(call[0]):
        return
    for argument in call[1].split(b","):
        word = argument.strip()
        if _WORD.fullmatch(word) and word not in _TYPE_WORDS:
            yield word, "made", -1, declaration


def _declarator_name(part: bytes) -> bytes:
    """The name in one declarator: `struct x *name[3]`, `(*name)(int)`, `name : 3`, `name = 1`; empty where there is none."""
    part = _before_initialiser(part)
    if b"(" in part:
        pointer = _FUNCTION_POINTER.search(part) or _BRACKETED.search(part)
        if pointer:
            return pointer.group(1)
    if b"[" in part:
        part = _INDEX.sub(b" ", part)
    part = part.split(b":", 1)[0]
    if b"(" in part:
        part = _PARENS.sub(b" ", part)
    words = [word for word in _WORD.findall(part) if word not in _TYPE_WORDS]
    return words[-1] if words else b""


def _split(declaration: bytes) -> list[bytes]:
    """At the commas outside of brackets."""
    if b"," not in declaration:
        return [declaration]
    flat = _PARENS.sub(lambda m: b"(" + b"." * (len(m.group()) - 2) + b")", declaration)
    parts, position = [], 0
    for comma in [match.start() for match in re.finditer(rb",", flat)]:
        parts.append(declaration[position:comma])
        position = comma + 1
    return [*parts, declaration[position:]]


def _outer(declaration: bytes) -> bytes:
    """The declaration without what is inside a parameter list: function pointers there are no declarators of ours."""
    return re.sub(rb"(\w\s*)\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)\s*$", rb"\1()", declaration)


def _before_initialiser(head: bytes) -> bytes:
    """The part before the first `=` outside of brackets."""
    at = head.find(b"=")
    while at >= 0:
        if head.count(b"(", 0, at) <= head.count(b")", 0, at):
            return head[:at].rstrip()
        at = head.find(b"=", at + 1)
    return head


def _looks_like_initialiser(head: bytes) -> bool:
    return len(_before_initialiser(head)) < len(head)
