/*
 * probe.c: PID 1 of a kernel on trial, and the little that a probe stands on. No C library: the same source serves x86_64 and
 * i386 with any compiler that has the kernel's user space headers.
 */
#include "probe.h"

#include <stdarg.h>

#define MOST_FAILURES 6	/* a kernel that fails so often has failed; what is left would only wait in vain */

static int passed, failed, skipped;
static int is_absent;
static int results[2];	/* a pipe: the probe's counts, for PID 1 */

/* ------------------------------------------------------------------ system calls */

#ifdef __x86_64__
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall first\n");

/* clone, and on the new stack: the function, and what it is called with. */
__asm__("begin:\n\tmov $56, %eax\n\tsyscall\n\ttest %rax, %rax\n\tjnz 1f\n"
	"\tpop %rax\n\tpop %rdi\n\tsub $8, %rsp\n\tcall *%rax\n\tmov $60, %eax\n\txor %edi, %edi\n\tsyscall\n1:\tret\n");

static long raw(long n, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#define MMAP __NR_mmap
#define MMAP_OFFSET(offset) (offset)
#else
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %esp, %eax\n\tand $-16, %esp\n\tsub $12, %esp\n\tpush %eax\n\tcall first\n");

/* Six arguments and ebp: they go through memory, since gcc has too few registers left. */
long raw(long n, long a, long b, long c, long d, long e, long f);
__asm__("raw:\n\tpush %ebp\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n"
	"\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
	"\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n"
	"\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tpop %ebp\n\tret\n");
__asm__("begin:\n\tpush %ebx\n\tmov 8(%esp), %ebx\n\tmov 12(%esp), %ecx\n\tmov $120, %eax\n\tint $0x80\n\ttest %eax, %eax\n"
	"\tjnz 1f\n\tpop %eax\n\tcall *%eax\n\tmov $1, %eax\n\txor %ebx, %ebx\n\tint $0x80\n1:\tpop %ebx\n\tret\n");
#define MMAP __NR_mmap2
#define MMAP_OFFSET(offset) ((offset) / PAGE)
#endif

long call(long number, ...)
{
	va_list list;
	long a, b, c, d, e, f;

	va_start(list, number);
	a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
	d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
	va_end(list);
	return raw(number, a, b, c, d, e, f);
}

/* ------------------------------------------------------------------ the C library's share */

void *memset(void *to, int value, __SIZE_TYPE__ size)
{
	volatile char *at = to;

	while (size--)
		*at++ = value;
	return to;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ size)
{
	volatile char *at = to;
	const char *in = from;

	while (size--)
		*at++ = *in++;
	return to;
}

int memcmp(const void *one, const void *other, __SIZE_TYPE__ size)
{
	const unsigned char *a = one, *b = other;

	for (; size--; a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

__SIZE_TYPE__ strlen(const char *text)
{
	const volatile char *at = text;

	while (*at)
		at++;
	return at - (const volatile char *)text;
}

int strcmp(const char *one, const char *other)
{
	while (*one && *one == *other)
		one++, other++;
	return (unsigned char)*one - (unsigned char)*other;
}

/* By shift and subtract: libgcc's division of 64 by 32 bits is not there on i386. */
u64 divide(u64 value, unsigned by)
{
	u64 rest = 0, result = 0;
	int bit;

	for (bit = 63; bit >= 0; bit--) {
		rest = rest << 1 | (value >> bit & 1);
		result <<= 1;
		if (rest >= by)
			rest -= by, result |= 1;
	}
	return result;
}

static char *put_number(char *end, u64 value, unsigned base)
{
	*--end = 0;
	do {
		u64 less = divide(value, base);

		*--end = "0123456789abcdef"[(unsigned)(value - less * base)];
		value = less;
	} while (value);
	return end;
}

static int format_list(char *to, long room, const char *format, va_list list)
{
	long at = 0;

	for (; *format && at < room - 1; format++) {
		char digits[24];
		const char *text = digits;
		int longs = 0;

		if (*format != '%') {
			to[at++] = *format;
			continue;
		}
		while (*++format == 'l')
			longs++;
		if (*format == 's') {
			text = va_arg(list, const char *);
		} else if (*format == 'd') {
			long value = longs ? va_arg(list, long) : va_arg(list, int);

			text = put_number(digits + 24, value < 0 ? -(u64)value : (u64)value, 10);
			if (value < 0)
				to[at++] = '-';
		} else if (*format == 'u' || *format == 'x') {
			u64 value = longs > 1 ? va_arg(list, u64) : longs ? va_arg(list, unsigned long) : va_arg(list, unsigned);

			text = put_number(digits + 24, value, *format == 'x' ? 16 : 10);
		} else {
			digits[0] = *format, digits[1] = 0;
		}
		while (*text && at < room - 1)
			to[at++] = *text++;
	}
	to[at] = 0;
	return at;
}

int format_text(char *to, long room, const char *format, ...)
{
	va_list list;
	int length;

	va_start(list, format);
	length = format_list(to, room, format, list);
	va_end(list);
	return length;
}

/* ------------------------------------------------------------------ saying things */

/* One write a line: the kernel's own messages then stand between lines, and not inside one. */
static void line(const char *kind, const char *name, const char *format, va_list list)
{
	char text[512];
	int at = format_text(text, sizeof(text) - 2, "probe: %s %s%s", kind, name, *format ? ": " : "");

	at += format_list(text + at, sizeof(text) - 2 - at, format, list);
	text[at++] = '\n';
	CALL(__NR_write, 1, text, at);
}

/* Hands the counts to PID 1 and ends the probe. */
static void finish(void)
{
	int counts[4] = { passed, failed, skipped, is_absent };

	long wrote = CALL(__NR_write, results[1], counts, sizeof(counts));

	CALL(__NR_exit_group, wrote != sizeof(counts));
}

int check(int holds, const char *name, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	line(holds ? "ok" : "failed", name, format, list);
	va_end(list);
	if (holds)
		passed++;
	else if (++failed == MOST_FAILURES) {
		say("%d checks failed, the rest is left out", failed);
		finish();
	}
	return holds;
}

static void line_of(const char *kind, const char *name, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	line(kind, name, format, list);
	va_end(list);
}

void skip(const char *name, const char *why)
{
	line_of("skipped", name, "%s", why);
	skipped++;
}

void absent(const char *why)
{
	line_of("absent", "feature", "%s", why);
	is_absent = 1;
}

void measure(const char *name, u64 value, const char *unit)
{
	line_of("measure", name, "%llu %s", value, unit);
}

void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	line("note", "probe", format, list);
	va_end(list);
}

/* ------------------------------------------------------------------ files */

long read_text(const char *path, char *text, long room)
{
	long file = CALL(__NR_open, path, O_RDONLY, 0), got, at = 0;

	if (file < 0)
		return file;
	while (at < room - 1 && (got = CALL(__NR_read, file, text + at, room - 1 - at)) > 0)
		at += got;
	CALL(__NR_close, file);
	text[at] = 0;
	return at;
}

long read_number(const char *path)
{
	char text[64], *at = text;
	long got = read_text(path, text, sizeof(text)), value = 0;

	if (got < 0)
		return got;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + *at - '0';
	return at == text ? -EIO : value;
}

long write_text(const char *path, const char *text)
{
	long file = CALL(__NR_open, path, O_WRONLY, 0), result;

	if (file < 0)
		return file;
	result = CALL(__NR_write, file, text, strlen(text));
	CALL(__NR_close, file);
	return result < 0 ? result : 0;
}

long file_mode(const char *path)
{
	struct stat found;
	long result = CALL(__NR_stat, path, &found);

	return result < 0 ? result : (long)(found.st_mode & 07777);
}

long for_each_name(const char *path, void (*each)(const char *name, void *with), void *with)
{
	struct entry { __u64 ino; __s64 offset; unsigned short length; unsigned char type; char name[]; };
	static char room[4096] __attribute__((aligned(8)));
	long folder = CALL(__NR_open, path, O_RDONLY | O_DIRECTORY, 0), got, at;

	if (folder < 0)
		return folder;
	while ((got = CALL(__NR_getdents64, folder, room, sizeof(room))) > 0)
		for (at = 0; at < got; at += ((struct entry *)(room + at))->length) {
			const char *name = ((struct entry *)(room + at))->name;

			if (name[0] != '.')
				each(name, with);
		}
	CALL(__NR_close, folder);
	return got;
}

/* ------------------------------------------------------------------ memory */

char *pages(long count)
{
	long at = CALL(MMAP, 0, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, MMAP_OFFSET(0));

	return at < 0 && at > -4096 ? 0 : (char *)at;
}

static unsigned word(unsigned kind, unsigned at)
{
	return kind * 2654435761u + at * 40503u;
}

void fill(char *start, long count, unsigned kind)
{
	unsigned *at = (unsigned *)start, i, each = PAGE / sizeof(*at);

	for (; count--; at += each)
		for (i = 0; i < each; i++)
			at[i] = word(kind, i);
}

int filled(const char *start, long count, unsigned kind)
{
	const unsigned *at = (const unsigned *)start;
	unsigned i, each = PAGE / sizeof(*at);

	for (; count--; at += each)
		for (i = 0; i < each; i++)
			if (at[i] != word(kind, i))
				return 0;
	return 1;
}

static u64 entry(const char *path, u64 number)
{
	long file = CALL(__NR_open, path, O_RDONLY, 0);
	u64 value = 0;

	if (file < 0)
		return 0;
	CALL(__NR_lseek, file, (long)(number * 8), 0);
	if (CALL(__NR_read, file, &value, 8) != 8)
		value = 0;
	CALL(__NR_close, file);
	return value;
}

u64 frame_of(const void *address)
{
	u64 found = entry("/proc/self/pagemap", (unsigned long)address / PAGE);

	return found >> 63 ? found & ((1ULL << 55) - 1) : 0;
}

u64 frame_count(u64 frame)
{
	return entry("/proc/kpagecount", frame);
}

u64 frame_flags(u64 frame)
{
	return entry("/proc/kpageflags", frame);
}

/* ------------------------------------------------------------------ processes and time */

struct time { long seconds, rest; };

u64 now_ns(void)
{
	struct time time;

	CALL(__NR_clock_gettime, 1, &time);
	return (u64)time.seconds * 1000000000ULL + time.rest;
}

void nap_ms(long ms)
{
	struct time time = { ms / 1000, ms % 1000 * 1000000 };

	CALL(__NR_nanosleep, &time, 0);
}

long spawn(int (*function)(void *with), void *with)
{
	long pid = CALL(__NR_fork);

	if (pid == 0)
		CALL(__NR_exit, function(with));
	return pid;
}

long begin(unsigned long flags, void *stack);

long thread(void (*function)(void *with), void *with)
{
	enum { SHARED = 0x10f00 };	/* CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD */
	char *stack = pages(8);
	void **top = (void **)(stack + 8 * PAGE - 16);

	if (!stack)
		return -ENOMEM;
	top[0] = with;	/* x86_64 pops both, i386 finds this one on its stack, aligned as calls want it */
	top[-1] = (void *)function;
	return begin(SHARED, top - 1);
}

int ended(long pid, long most_ms)
{
	u64 until = now_ns() + (u64)most_ms * 1000000;
	int status = 0;

	while (CALL(__NR_wait4, pid, &status, 1, 0) != pid) {
		if (now_ns() > until) {
			CALL(__NR_kill, pid, 9);
			return -1;
		}
		nap_ms(2);
	}
	return status & 0x7f ? 256 + (status & 0x7f) : status >> 8 & 0xff;
}

int in_child(int (*function)(void *with), void *with, long most_ms)
{
	long pid = spawn(function, with);

	return pid < 0 ? -1 : ended(pid, most_ms);
}

void execute(const char *word)
{
	const char *words[] = { "/init", word, 0 }, *none[] = { 0 };

	CALL(__NR_execve, "/proc/self/exe", words, none);
}

__attribute__((weak)) int executed(const char *word)
{
	(void)word;
	return 127;
}

/* ------------------------------------------------------------------ PID 1 */

static int run_probe(void *with)
{
	(void)with;
	probe();
	finish();
	return 1;
}

static void mount(const char *type, const char *where)
{
	CALL(__NR_mkdir, where, 0755);
	CALL(__NR_mount, type, where, type, 0, "");
}

/* The number of this boot: in a file beside us; for an init that is not ours, in our environment. */
static const char *number_of_boot(const char **environment)
{
	static char number[64];

	read_text("/number", number, sizeof(number));
	for (; !number[0] && *environment; environment++)
		if (!memcmp(*environment, "NUMBER=", 7))
			format_text(number, sizeof(number), "%s", *environment + 7);
	return number;
}

/* `stack` is what the kernel left there: the number of words, the words, a zero, and the environment. */
void first(long *stack)
{
	const char *number = number_of_boot((const char **)stack + stack[0] + 2);
	char text[128];
	int counts[4] = { 0, 0, 0, 0 }, status = 0, length, i;
	const char *verdict = "failed";
	long pid;

	/* PID 1 gets words too: those of the kernel's command line that it does not know, like no_timer_check without an IO-APIC. */
	if (stack[0] > 1 && CALL(__NR_getpid) != 1)
		CALL(__NR_exit, executed((const char *)stack[2]));
	mount("proc", "/proc");
	mount("sysfs", "/sys");
	mount("debugfs", "/sys/kernel/debug");
	mount("tmpfs", "/tmp");
	CALL(__NR_pipe, results);
	pid = spawn(run_probe, 0);
	while (CALL(__NR_wait4, pid, &status, 0, 0) != pid)
		;
	if (status == 0 && CALL(__NR_read, results[0], counts, sizeof(counts)) == sizeof(counts))
		verdict = counts[1] ? "failed" : counts[3] ? "absent" : counts[0] ? "passed" : "failed";
	else
		say("it ended with status %d", status);
	/* A message of the kernel's may cut a line in two. It is unlikely to cut three. */
	length = format_text(text, sizeof(text), "\nRESULT %s %s %d %d %d\n", number, verdict, counts[0], counts[1], counts[2]);
	for (i = 0; i < 3; i++) {
		CALL(__NR_write, 1, text, length);
		nap_ms(20);
	}
	CALL(__NR_sync);
	CALL(__NR_reboot, 0xfee1dead, 672274793, 0x1234567, 0);	/* restart: without ACPI a power-off hangs */
	for (;;)
		nap_ms(1000);
}
