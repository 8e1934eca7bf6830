/*
 * kernel/ksyms.c: what EXPORT_SYMBOL() gathered.
 */
#include <linux/module.h>

extern const struct kernel_symbol *__start_ksymtab[], *__stop_ksymtab[];

const struct kernel_symbol *find_symbol(const char *name)
{
	const struct kernel_symbol **sym;

	for (sym = __start_ksymtab; sym < __stop_ksymtab; sym++)
		if (!strcmp((*sym)->name, name))
			return *sym;
	return NULL;
}
