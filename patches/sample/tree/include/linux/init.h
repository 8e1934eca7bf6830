#ifndef _LINUX_INIT_H
#define _LINUX_INIT_H

#include <linux/kernel.h>

typedef int (*initcall_t)(void);
typedef void (*idlecall_t)(void);

/* Called once, while the machine boots. */
#define module_init(fn) \
	static initcall_t __initcall_##fn __table("initcalls") = fn

/* Called whenever the machine has nothing better to do: our daemons. */
#define idle_call(fn) \
	static idlecall_t __idlecall_##fn __table("idlecalls") = fn

void cpu_idle(void);

#endif
