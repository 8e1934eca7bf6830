/*
 * kernel/printk.c: the kernel's voice.
 */
#include <stdarg.h>

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#ifdef CONFIG_PRINTK_DEBUG
static long loglevel = 8;
#else
static long loglevel = 7;
#endif

/* A message starts with its level, "<0>" to "<7>"; the lower, the graver. */
int printk(const char *fmt, ...)
{
	int level = 4;
	int len = 0;
	va_list args;

	if (fmt[0] == '<' && fmt[1] >= '0' && fmt[1] <= '7' && fmt[2] == '>') {
		level = fmt[1] - '0';
		fmt += 3;
	}
#ifdef CONFIG_PRINTK
	if (level < loglevel) {
		va_start(args, fmt);
		len = vprintf(fmt, args);
		va_end(args);
	}
#else
	(void)args;
	(void)level;
#endif
	return len;
}
EXPORT_SYMBOL(printk);

static int loglevel_show(char *buf, size_t size)
{
	return snprintf(buf, size, "%ld\n", loglevel);
}

static int loglevel_store(const char *buf)
{
	char *end;
	long level = strtol(buf, &end, 0);

	if (end == buf || level < 0 || level > 8)
		return -EINVAL;
	loglevel = level;
	return 0;
}
ATTR_RW(loglevel, "kernel/loglevel");
