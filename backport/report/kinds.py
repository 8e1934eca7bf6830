"""What each kind of finding means and what to do about it, for the renderings that explain kinds and not only findings.

A kind that is not here is described by its own words.
"""

from __future__ import annotations

KINDS: dict[str, tuple[str, str]] = {
    "not-signed": (
        "The mail that a patch was taken from has no valid signature of its sender",
        "Put the sender's key into `keys/` beside the definition, or ask the sender.",
    ),
    "signed": ("The mail that a patch was taken from is signed by its sender", "Nothing to do."),
    "absent-symbol": (
        "The target does not declare a name that an added line uses",
        "Use the target's spelling, or take the commit that introduces it.",
    ),
    "absent-header": (
        "The target does not have a header that an added line includes",
        "Include what the target has instead, or take the commit that adds it.",
    ),
    "absent-annotation": (
        "The target does not have an annotation (__percpu, __must_check) that an added line uses",
        "Leave it out: it says something about the code and is none.",
    ),
    "absent-member": (
        "The target's struct lacks a member that an added line names",
        "Use what the target has for it, or take the commit that introduces it.",
    ),
    "arity-changed": (
        "The target's function or macro takes another number of arguments",
        "Call it as the target declares it, or take the commit that changed it.",
    ),
    "parameter-type-changed": (
        "The target's function takes an argument of another type",
        "Pass what the target's function wants, or take the commit that changed it.",
    ),
    "return-type-changed": (
        "The target's function gives back another type",
        "See what is done with the value, or take the commit that changed it.",
    ),
    "member-type-changed": (
        "The target's struct member has another type",
        "See whether a pointer is meant where the target has the struct itself, or the other way round.",
    ),
    "macro-or-function": (
        "The target has a macro where upstream has a function, and an argument does something",
        "The macro may do it more than once: put the value into a variable first.",
    ),
    "other-meaning": (
        "The target has the same name for another value",
        "See which value the added line means, and whether the target's serves.",
    ),
    "other-number": (
        "An enumerator has another number in the target, whose enum lacks others before it",
        "See whether the number is compared, is a place in a table, or leaves the kernel.",
    ),
    "taken-away": (
        "A patch takes away what other code of its files still uses in the target",
        "Convert that code as upstream did, or keep what is taken away.",
    ),
    "old-code-breaks": (
        "A patch changes or takes away what other files of the target still use",
        "Convert those files as upstream did, or keep the old form for them.",
    ),
    "defined-twice": ("After the merge a file defines a name twice", "Leave one of them out."),
    "unbalanced-conditional": ("After the merge an #if has no #endif, or the other way round", "Merge the file by hand."),
    "number-clash": (
        "A number or name that programs see is already taken in the target",
        "Take a free one, or the same as upstream where programs were built for it.",
    ),
    "absent-local": (
        "The target's function lacks a local variable that an added line uses",
        "Declare it, or take the commit that does.",
    ),
    "absent-label": (
        "The target's function lacks a label that an added goto names",
        "Add the label, or take the commit that does.",
    ),
    "other-label": (
        "What is done behind a label that an added goto names differs from upstream",
        "Jump to where the same is done, or return as the target's function does there.",
    ),
    "stands-otherwise": (
        "An added line would stand under another #if, case or lock than upstream",
        "Put the line where the target has what upstream has around it.",
    ),
    "other-return": (
        "An added line returns what the target's function does not give, which upstream's does",
        "Return what the target's function gives there, or take the commit that changed it.",
    ),
    "other-type": (
        "An added line uses a local or a parameter that the target's function declares as something else than upstream's",
        "Write the line for what the word is in the target, or take the commit that changed its declaration.",
    ),
    "not-included": (
        "The target declares the name, but not where this file can see it",
        "Include the header that the hint names.",
    ),
    "other-architecture": (
        "The target declares the name for other architectures only",
        "Check the architectures that you build.",
    ),
    "other-configuration": (
        "The target declares the name under a configuration only, which upstream does not ask for",
        "Make the code depend on that configuration, or check that it is always set where the file is built.",
    ),
    "build-error": (
        "A patch makes an object of the target fail to compile",
        "Read the compiler's message: the target lacks what the patch uses.",
    ),
    "build-warning": (
        "A patch brings a warning of the compiler that was not there before",
        "See whether the target's types are others than those that the patch was made for.",
    ),
    "mutant-uncaught": (
        "A probe passes on a kernel that was broken on purpose",
        "Check in the probe for what it breaks, or say in the manifest why it need not.",
    ),
    "kabi-removed": (
        "A symbol is no longer exported to modules",
        "Modules that use it will not load: keep the export where kABI is frozen.",
    ),
    "kabi-signature": (
        "An exported symbol changes its parameters or its type",
        "Keep it and add a new function beside it where kABI is frozen.",
    ),
    "kabi-struct": (
        "A struct that exported symbols reach changes its layout",
        "Use reserved members, or a struct of your own, where kABI is frozen.",
    ),
    "kabi-unread": ("A part of the module interface was not compared", "Compare it by hand."),
    "kconfig-absent": (
        "A wanted configuration symbol does not exist",
        "kconf drops it without a word: correct the wish, or add the patch.",
    ),
    "kconfig-absent-symbol": (
        "An added line depends on a configuration symbol that nothing defines",
        "Take the commit that defines it, or drop the condition.",
    ),
    "kconfig-changed": ("A configuration symbol changes for every configuration", "Check the target's own configuration files."),
    "kconfig-loop": ("Dependencies of configuration symbols run in a circle", "Every make config stops there: break the circle."),
    "kconfig-source-absent": (
        "An added line sources a Kconfig file that does not exist",
        "Every make config stops there: add the file or leave the line out.",
    ),
    "kconfig-syntax": ("An added line is no Kconfig", "Correct the line."),
    "kconfig-unmet": (
        "A configuration symbol cannot have the wanted value",
        "Set what it depends on, or take the commits that it depends on.",
    ),
    "kconfig-unset": (
        "A new configuration symbol has a prompt and no answer",
        "Add a value: builds that take no questions stop at it.",
    ),
    "makefile-object-absent": (
        "An added Makefile line asks for an object that nothing makes",
        "Leave the line out, or take the commit that adds the source.",
    ),
    "other-function": (
        "A hunk would land in another function or entry than upstream's",
        "Apply it by hand where the function is, or take the commit that moved it.",
    ),
    "left-over": (
        "A line that upstream removes is still there",
        "The target has moved it: remove it by hand.",
    ),
    "doubled-line": (
        "An added line would stand there twice",
        "The target has it already, elsewhere in the file: leave it out.",
    ),
    "doubled-block": (
        "Lines that the patch adds to a function are there already, a few lines away",
        "Leave them out, or find what upstream took away before it added them.",
    ),
    "second-place": (
        "The target has a second copy of what the patch changes",
        "Change both, or say why one is enough.",
    ),
    "parses-worse": ("A function is no C any more after the merge", "Merge it by hand."),
    "unchecked-text": ("So many lines change that the text was not checked", "Compare the file by hand."),
    "strange-word": (
        "An added line uses a word that the target does not know",
        "Use the target's spelling, or take the commit that introduces it.",
    ),
}
