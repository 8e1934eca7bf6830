/*
 * init/main.c: from power-on to the RESULT line.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/selftest.h>

extern initcall_t __start_initcalls[], __stop_initcalls[];
extern idlecall_t __start_idlecalls[], __stop_idlecalls[];

static int do_initcalls(void)
{
	initcall_t *call;
	int err;

	for (call = __start_initcalls; call < __stop_initcalls; call++) {
		err = (*call)();
		if (err)
			return err;
	}
	return 0;
}

void cpu_idle(void)
{
	idlecall_t *call;

	for (call = __start_idlecalls; call < __stop_idlecalls; call++)
		(*call)();
}

static void show_meminfo(void)
{
	char buf[256];

	meminfo_show(buf, sizeof(buf));
	printk(KERN_INFO "%s", buf);
}

int main(void)
{
	int err;

	printk(KERN_INFO "Mini version %s (%s)\n", UTS_RELEASE,
	       CONFIG_DEFAULT_HOSTNAME);
	err = do_initcalls();
	if (err) {
		printk(KERN_ERR "an initcall failed: %d\n", err);
		printf("RESULT: FAILED, does not boot\n");
		return 1;
	}
	show_meminfo();
#ifdef CONFIG_SELFTEST
	return run_selftests();
#else
	printf("RESULT: none, CONFIG_SELFTEST is off\n");
	return 0;
#endif
}
