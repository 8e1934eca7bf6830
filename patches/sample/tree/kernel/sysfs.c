/*
 * kernel/sysfs.c: attributes, by name.
 */
#include <linux/module.h>
#include <linux/sysfs.h>

extern const struct attribute *__start_attributes[], *__stop_attributes[];

static const struct attribute *find_attribute(const char *name)
{
	const struct attribute **attr;

	for (attr = __start_attributes; attr < __stop_attributes; attr++)
		if (!strcmp((*attr)->name, name))
			return *attr;
	return NULL;
}

int sysfs_show(const char *name, char *buf, size_t size)
{
	const struct attribute *attr = find_attribute(name);

	if (!attr)
		return -ENOENT;
	return attr->show(buf, size);
}
EXPORT_SYMBOL(sysfs_show);

int sysfs_store(const char *name, const char *buf)
{
	const struct attribute *attr = find_attribute(name);

	if (!attr)
		return -ENOENT;
	if (!attr->store)
		return -EACCES;
	return attr->store(buf);
}
EXPORT_SYMBOL(sysfs_store);

/* Read an attribute that is a number. */
int sysfs_value(const char *name, long *value)
{
	char buf[32];
	int len = sysfs_show(name, buf, sizeof(buf));

	if (len < 0)
		return len;
	*value = strtol(buf, NULL, 0);
	return 0;
}
EXPORT_SYMBOL(sysfs_value);
