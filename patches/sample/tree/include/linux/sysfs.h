#ifndef _LINUX_SYSFS_H
#define _LINUX_SYSFS_H

#include <linux/kernel.h>

/* One value, readable and perhaps writable, below /sys. */
struct attribute {
	const char *name;			/* "mm/min_free_pages" */
	int (*show)(char *buf, size_t size);	/* length, as of snprintf */
	int (*store)(const char *buf);		/* 0, or -errno */
};

#define DEFINE_ATTR(_var, _name, _show, _store)				\
	static const struct attribute attr_##_var =			\
		{ _name, _show, _store };				\
	static const struct attribute *__attrptr_##_var			\
		__table("attributes") = &attr_##_var

#define ATTR_RO(_var, _name)	DEFINE_ATTR(_var, _name, _var##_show, NULL)
#define ATTR_RW(_var, _name)	DEFINE_ATTR(_var, _name, _var##_show, _var##_store)

int sysfs_show(const char *name, char *buf, size_t size);
int sysfs_store(const char *name, const char *buf);
int sysfs_value(const char *name, long *value);

#endif
