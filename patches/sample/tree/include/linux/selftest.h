#ifndef _LINUX_SELFTEST_H
#define _LINUX_SELFTEST_H

#include <linux/kernel.h>

/* A self test says NULL, or what was not as it should be. */
struct selftest {
	const char *name;
	const char *(*run)(void);
};

#define selftest(fn)							\
	static const struct selftest __selftest_##fn = { #fn, fn };	\
	static const struct selftest *__selftestptr_##fn		\
		__table("selftests") = &__selftest_##fn

#define EXPECT(condition) do {						\
	if (!(condition))						\
		return #condition;					\
} while (0)

int run_selftests(void);

#endif
