"""Turns kernel C into plain C of the same length, so that a grammar which knows no macros can read it.

tree-sitter reports 17-24 % of the functions of 2.6.31 as broken, because annotations, loops that are macros and definitions
made by macros are no C. Here each is blanked, or respelled within its own bytes: every offset and every newline stays
true, and whatever is read from the masked text is quoted from the original one.
"""

from __future__ import annotations

import re

from backport.csource.tokens import blank

_KEEP = bytes(b if b in b"\n\r" else 0x20 for b in range(256))

# Annotations that stand where C has a specifier or nothing, as 2.6.24 to 6.x spell them. A word that is not listed stays.
_ANNOTATION = re.compile(
    rb"\b(?:__(?:init|exit|net_init|net_exit|ref|head|entry|sched|lockfunc|kprobes|user|kernel|force|safe|nocast|iomem|percpu"
    rb"|rcu|private|bitwise(?:__)?|read_mostly|ro_after_init|weak|used|unused|maybe_unused|always_unused|packed|pure|cold|hot"
    rb"|must_check|deprecated|malloc|noclone|visible|randomize_layout|no_randomize_layout|latent_entropy|nosave(?:data)?"
    rb"|attribute_const__|attribute_pure__|attribute_used__|always_inline|noreturn|designated_init|noendbr|flatten"
    rb"|(?:dev|cpu|mem|net|page_aligned_|task_|exception_text|irq_)?(?:init|exit)(?:data|const|_refok|data_refok|_or_module"
    rb"|data_or_module|const_or_module|call)?|page_aligned_(?:data|bss)|bss|data_refok|cacheline_aligned(?:_in_smp)?"
    rb"|refdata|refconst|vdso|vsyscall_fn|irq_entry)"
    rb"|____cacheline_(?:internodealigned_in_smp|aligned(?:_in_smp|_on_smp)?|maxaligned_in_smp)"
    rb"|__cacheline_aligned(?:_in_smp)?|asmlinkage|notrace|noinline(?:_for_stack)?|fastcall|noinstr|fallthrough"
    rb"|STATIC|__extension__|FASTCALL|INITDATA|__INITDATA)\b(?![ \t]*\()"
)
# The same with arguments; the whole call is blanked.
_ANNOTATION_CALL = re.compile(
    rb"\b(?:__attribute__|__attribute|__acquires|__releases|__must_hold|__printf|__scanf|__format_arg|__aligned"
    rb"|__section|__alias|__assume_aligned|__alloc_size|__counted_by|EXPORT_\w+|MODULE_\w+|module_\w+"
    rb"|\w+_initcall(?:_sync)?|__setup\w*|early_param|core_param|KSYM\w*|ACPI_MODULE_NAME|ACPI_EXPORT_SYMBOL\w*"
    rb"|TRACE_EVENT\w*|DEFINE_EVENT\w*|DECLARE_EVENT_CLASS|DECLARE_TRACE|DEFINE_TRACE|security_initcall|late_initcall"
    rb"|asmlinkage_protect)[ \t\r\n]*\("
)
_LOOP = re.compile(rb"(?<!define )(?<!define\t)\b(\w*(?:for_each|foreach)\w*|while_each_\w+)([ \t]*\()")
_DO_EACH = re.compile(rb"(?<!define )(?<!define\t)\bdo_each_\w+[ \t]*\(")
_SYSCALL = re.compile(rb"(?<!define )\b(?:COMPAT_)?SYSCALL(?:32)?_DEFINE([0-6x])[ \t]*\(\s*")
_MADE = re.compile(
    rb"(?<!define )(?<!define\t)\b(?:(?:DEFINE|DECLARE)_(?!EVENT_CLASS)\w+|LIST_HEAD|HLIST_HEAD"
    rb"|(?:BLOCKING|ATOMIC|RAW|SRCU)_NOTIFIER_HEAD)[ \t]*\(\s*"
)
_TYPED_MADE = re.compile(rb"(?:DEFINE|DECLARE|DEFINE_STATIC)_(?:\w*PER_CPU\w*|KFIFO)")
_TYPEOF = re.compile(rb"\b(?:__)?typeof(?:__)?[ \t]*\(")
_TYPE_ARGUMENT = re.compile(rb"(,\s*)((?:const\s+)?(?:struct|union|enum))(?=\s+\w+\s*[,)])")
_PARENTHESIS = re.compile(rb"[()]")


def mask(text: bytes) -> bytes:
    """`text` as a grammar of plain C can read it: same length, same lines, the same words at the same offsets.

    One exception: the name in `SYSCALL_DEFINE0(name)` moves one byte to the left. What no rule knows stays as it is and may
    still be a parse error; `parse` says where.
    """
    code = bytearray(text)
    plain = blank(text)
    for match in _ANNOTATION.finditer(plain):
        _wipe(code, match.start(), match.end())
    _mask_calls(code, plain)
    _mask_loops(code, plain)
    for match in _SYSCALL.finditer(plain):
        _respell_syscall(code, plain, match)
    for match in _MADE.finditer(plain):
        _respell_made(code, plain, match)
    for match in _TYPE_ARGUMENT.finditer(plain):
        _wipe(code, match.start(2), match.end(2))
    return bytes(code)


def without_annotations(head: bytes) -> bytes:
    """A declaration's head without the annotations that stand where C has a specifier or nothing."""
    return _ANNOTATION.sub(b" ", head) if b"__" in head or b"asmlinkage" in head or b"noinline" in head else head


def closing(plain: bytes, opening: int, limit: int = 20000) -> int:
    """The offset of the parenthesis that closes the one at `opening`, -1 where none does within `limit` bytes."""
    depth = 0
    for match in _PARENTHESIS.finditer(plain, opening, opening + limit):
        depth += 1 if match.group() == b"(" else -1
        if depth == 0:
            return match.start()
    return -1


def _wipe(code: bytearray, start: int, end: int) -> None:
    code[start:end] = code[start:end].translate(_KEEP)


def _respell(code: bytearray, start: int, end: int, word: bytes) -> None:
    """Put `word` at `start`, blanks behind it up to `end`; nothing where it does not fit on the line."""
    _wipe(code, start, end)
    if len(word) <= end - start and b"\n" not in code[start : start + len(word)]:
        code[start : start + len(word)] = word


def _mask_calls(code: bytearray, plain: bytes) -> None:
    for match in _ANNOTATION_CALL.finditer(plain):
        if plain[: match.start()].endswith((b"define ", b"define\t")):
            continue
        end = closing(plain, match.end() - 1)
        if end < 0:
            continue
        semicolon = re.compile(rb"[ \t]*;").match(plain, end + 1)
        at_start = not plain[plain.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip()
        whole = semicolon is not None and at_start and not match.group().startswith(b"__a")
        _wipe(code, match.start(), semicolon.end() if semicolon is not None and whole else end + 1)
    for match in _TYPEOF.finditer(plain):
        end = closing(plain, match.end() - 1)
        if end >= 0:
            _respell(code, match.start(), end + 1, b"int")


def _mask_loops(code: bytearray, plain: bytes) -> None:
    for match in _LOOP.finditer(plain):
        _respell(code, match.start(1), match.end(1), b"while")
    for match in _DO_EACH.finditer(plain):
        end = closing(plain, match.end() - 1)
        if end >= 0:
            _respell(code, match.start(), end + 1, b"do")


def _commas(plain: bytes, start: int, end: int) -> list[int]:
    """Offsets of the commas between the arguments, those inside nested parentheses left out."""
    found, depth = [], 0
    for match in re.compile(rb"[(),]").finditer(plain, start, end):
        if match.group() == b",":
            found += [match.start()] if depth == 0 else []
        else:
            depth += 1 if match.group() == b"(" else -1
    return found


def _respell_syscall(code: bytearray, plain: bytes, match: re.Match[bytes]) -> None:
    """`SYSCALL_DEFINE2(name, int, a, long, b)` as `long name( int a, long b)`."""
    end = closing(plain, plain.index(b"(", match.start()))
    if end < 0:
        return
    _respell(code, match.start(), match.end(), b"long")
    commas = _commas(plain, match.end(), end)
    if not commas:
        name = bytes(code[match.end() : end])
        code[match.end() - 1 : end + 1] = name + b"()"
        return
    code[commas[0]] = 0x28  # (
    for comma in commas[1::2]:
        code[comma] = 0x20


def _respell_made(code: bytearray, plain: bytes, match: re.Match[bytes]) -> None:
    """`DEFINE_MUTEX(name)` as `int name`, `DEFINE_PER_CPU(type, name)` as `type name`: anywhere."""
    end = closing(plain, plain.index(b"(", match.start()))
    if end < 0:
        return
    commas = _commas(plain, match.end(), end)
    following = plain[end + 1 : end + 40].lstrip()
    if not following.startswith((b";", b"=", b"[", b",")) and following[:1] != b"_":
        return
    if _TYPED_MADE.match(match.group()) and commas:
        _wipe(code, match.start(), match.end())
        code[commas[0]] = 0x20
        if len(commas) > 1:
            _wipe(code, commas[1], end)
    else:
        _respell(code, match.start(), match.end(), b"int")
        if commas:
            _wipe(code, commas[0], end)
    code[end] = 0x20
