#ifndef _LINUX_MODULE_H
#define _LINUX_MODULE_H

#include <linux/kernel.h>

struct kernel_symbol {
	const char *name;
	const void *value;
};

#define EXPORT_SYMBOL(sym)						\
	static const struct kernel_symbol __ksymtab_##sym =		\
		{ #sym, (const void *)&sym };				\
	static const struct kernel_symbol *__ksymptr_##sym		\
		__table("ksymtab") = &__ksymtab_##sym

const struct kernel_symbol *find_symbol(const char *name);

#endif
