# scripts/kconfig.awk: complete .config from the Kconfig files.
#
#	awk -v srctree=DIR -v version=X -f scripts/kconfig.awk arch/x86/Kconfig
#
# Reads .config, writes .config, include/config/auto.conf (for make) and
# include/linux/autoconf.h (for C). A value in .config is kept where the symbol
# exists, has a prompt and may be set; all others take their default. It speaks
# as much of the Kconfig language as Mini uses.

BEGIN {
	read_config(".config")
	read_kconfig(ARGV[1])
	write_all()
	exit 0
}

function read_config(file,    line, at) {
	while ((getline line < file) > 0) {
		if (line ~ /^CONFIG_[A-Za-z0-9_]+=/) {
			at = index(line, "=")
			was[substr(line, 8, at - 8)] = substr(line, at + 1)
		} else if (line ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) {
			split(line, word, " ")
			was[substr(word[2], 8)] = "n"
		}
	}
	close(file)
}

# ---------------------------------------------------------------------------
# Kconfig files

function read_kconfig(file,    line, key, rest, sym, indent, help, at) {
	help = -1		# inside a help text: how far it is indented
	while ((getline line < file) > 0) {
		indent = match(line, /[^ \t]/) - 1
		if (indent < 0)
			continue
		if (help >= 0) {
			if (help == 0)
				help = indent
			if (indent > 0 && indent >= help)
				continue
			help = -1
		}
		sub(/^[ \t]+/, "", line)
		if (line ~ /^#/)
			continue
		key = line
		sub(/[ \t].*/, "", key)
		rest = substr(line, length(key) + 1)
		sub(/^[ \t]+/, "", rest)
		if (key == "config") {
			sym = rest
			order[++n] = sym
			known[sym] = 1
		} else if (key == "source") {
			read_kconfig(srctree "/" unquote(rest))
		} else if (key == "menu") {
			order[++n] = "#" unquote(rest)
		} else if (key == "bool" || key == "int" || key == "string") {
			type[sym] = key
			if (rest != "")
				prompt[sym] = 1
		} else if (key == "default") {
			at = ++defaults[sym]
			default_if[sym, at] = "y"
			if (match(rest, / if /)) {
				default_if[sym, at] = substr(rest, RSTART + 4)
				rest = substr(rest, 1, RSTART - 1)
			}
			default_to[sym, at] = rest
		} else if (key == "depends") {
			sub(/^on[ \t]+/, "", rest)
			rest = "(" rest ")"
			if (depends[sym] != "")
				rest = depends[sym] " && " rest
			depends[sym] = rest
		} else if (key == "select") {
			selectors[rest] = selectors[rest] " " sym
		} else if (key == "help" || key == "---help---") {
			help = 0
		} else if (key != "endmenu" && key != "mainmenu") {
			print file ": do not understand: " line > "/dev/stderr"
			exit 1
		}
	}
	close(file)
}

function unquote(text) {
	gsub(/^"|"$/, "", text)
	return text
}

# ---------------------------------------------------------------------------
# Values

function value(sym,    i, who) {
	if (sym in now)
		return now[sym]
	if (!(sym in known))
		return "n"
	now[sym] = (type[sym] == "bool") ? "n" : ""	# ends a circle
	split(selectors[sym], who, " ")
	for (i = 1; i in who; i++)
		if (value(who[i]) == "y")
			return now[sym] = "y"
	visible[sym] = depends[sym] == "" || truth(depends[sym])
	if (!visible[sym])
		return now[sym]
	if ((sym in prompt) && (sym in was) && fits(sym, was[sym]))
		return now[sym] = (was[sym] == "m") ? "y" : was[sym]
	for (i = 1; i <= defaults[sym]; i++)
		if (truth(default_if[sym, i]))
			return now[sym] = default_to[sym, i]
	return now[sym]
}

function fits(sym, text) {
	if (type[sym] == "int")
		return text ~ /^-?[0-9]+$/
	if (type[sym] == "string")
		return text ~ /^".*"$/
	return text ~ /^[ymn]$/		# nothing is modular: m means y
}

# An expression: names, "=", "!=", "!", "&&", "||", parentheses. The parser
# keeps its place in a stack, for a name's value may be an expression again.
function truth(text,    result) {
	left[++deep] = text
	result = any_of()
	deep--
	return result
}

function any_of(    result) {
	result = all_of()
	while (eat("^[|][|]"))
		result = all_of() || result
	return result
}

function all_of(    result) {
	result = one()
	while (eat("^&&"))
		result = one() && result
	return result
}

function one(    result, name) {
	if (eat("^!"))
		return !one()
	if (eat("^[(]")) {
		result = any_of()
		eat("^[)]")
		return result
	}
	eat("^[A-Za-z0-9_\"]+")
	name = eaten
	if (eat("^!="))
		return operand(name) != next_operand()
	if (eat("^="))
		return operand(name) == next_operand()
	return operand(name) == "y"
}

function next_operand() {
	eat("^[A-Za-z0-9_\"]+")
	return operand(eaten)
}

function operand(name) {
	if (name ~ /^"/)
		return unquote(name)
	if (name == "y" || name == "n")
		return name
	return unquote(value(name))
}

function eat(pattern) {
	sub(/^[ \t]+/, "", left[deep])
	if (!match(left[deep], pattern))
		return 0
	eaten = substr(left[deep], 1, RLENGTH)
	left[deep] = substr(left[deep], RLENGTH + 1)
	return 1
}

# ---------------------------------------------------------------------------
# Output

function write_all(    i, sym, val, text, make, c) {
	text = "#\n# Automatically generated make config: don't edit\n" \
	       "# Mini kernel version: " version "\n#\n"
	for (i = 1; i <= n; i++) {
		sym = order[i]
		if (sym ~ /^#/) {
			text = text "\n#\n# " substr(sym, 2) "\n#\n"
			continue
		}
		val = value(sym)
		if (val == "")
			continue
		if (val != "n") {
			text = text "CONFIG_" sym "=" val "\n"
			make = make "CONFIG_" sym "=" val "\n"
			c = c "#define CONFIG_" sym " " (val == "y" ? 1 : val) "\n"
		} else if (visible[sym] && (sym in prompt)) {
			text = text "# CONFIG_" sym " is not set\n"
		}
	}
	printf "%s", text > ".config"
	close(".config")
	printf "%s", c > "include/linux/autoconf.h"
	close("include/linux/autoconf.h")
	printf "%s", make > "include/config/auto.conf"
	close("include/config/auto.conf")
}
