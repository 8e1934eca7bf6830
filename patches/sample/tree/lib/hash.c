/*
 * lib/hash.c: a number for a heap of bytes.
 */
#include <linux/hash.h>
#include <linux/module.h>

/* Rotate, mix, multiply. Good enough to keep buckets apart, nothing more. */
unsigned int hash_bytes(const void *data, size_t len)
{
	const unsigned char *byte = data;
	unsigned int hash = len;

	while (len--) {
		hash = (hash << 7 | hash >> 25) ^ *byte++;
		hash *= 0x2c1b3c6d;
	}
	return hash ^ hash >> 15;
}
EXPORT_SYMBOL(hash_bytes);
