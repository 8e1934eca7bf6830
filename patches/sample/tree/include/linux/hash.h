#ifndef _LINUX_HASH_H
#define _LINUX_HASH_H

#include <stddef.h>

unsigned int hash_bytes(const void *data, size_t len);

#endif
