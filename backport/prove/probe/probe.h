/*
 * probe.h: what a feature's probe is written with.
 *
 * A probe is one C program with a function `void probe(void)`. It runs in a child of PID 1 on the kernel that is on trial, with
 * /proc, /sys, debugfs and a tmpfs mounted, no library and no other program. What it says goes to the serial console; the
 * verdict is one line, RESULT, which PID 1 writes when the probe is over, and which carries the number that this boot was given.
 *
 * System calls return what the kernel returns: a negative error number, no errno.
 */
#ifndef BACKPORT_PROBE_H
#define BACKPORT_PROBE_H

#include <asm/unistd.h>
#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/types.h>

#define PAGE 4096UL

typedef unsigned long long u64;

/* To be written by the probe. `executed` is run instead in a program that the probe started with `execute`. */
void probe(void);
int executed(const char *word);

/* Verdicts. A check that does not hold is a failure; a skipped one is told; `absent` says that the kernel has no such feature. */
int check(int holds, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void skip(const char *name, const char *why);
void absent(const char *why);
void measure(const char *name, u64 value, const char *unit);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Files: -errno, or what was read. `file_mode` gives permission bits; `for_each_name` calls back for each entry of a folder. */
long read_number(const char *path);
long read_text(const char *path, char *text, long room);
long write_text(const char *path, const char *text);
long file_mode(const char *path);
long for_each_name(const char *path, void (*each)(const char *name, void *with), void *with);

/* Memory. `pages` maps private anonymous memory, 0 where there is none; `fill` makes each page of a range one of its own kind. */
char *pages(long count);
void fill(char *start, long count, unsigned kind);
int filled(const char *start, long count, unsigned kind);
u64 frame_of(const void *address);	/* page frame number, 0 where the page is not there */
u64 frame_count(u64 frame);		/* how often it is mapped: /proc/kpagecount */
u64 frame_flags(u64 frame);		/* /proc/kpageflags */

/* Processes. `spawn` runs a function in a child; it ends with the status that the function returns. */
long spawn(int (*function)(void *with), void *with);
int ended(long pid, long most_ms);	/* its status; 256 and a signal; -1: it did not end, and was killed */
int in_child(int (*function)(void *with), void *with, long most_ms);
long thread(void (*function)(void *with), void *with);	/* the probe's own memory and files; its id, or -errno */
void execute(const char *word);		/* the probe's own program anew, in this process */

/* Time. */
u64 now_ns(void);
void nap_ms(long ms);
u64 divide(u64 value, unsigned by);

/* System calls by number, for whatever is not above. */
long call(long number, ...);
#define CALL(number, ...) call6(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define call6(number, a, b, c, d, e, f, ...) call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* The few of the C library that a probe cannot do without. */
void *memset(void *to, int value, __SIZE_TYPE__ size);
void *memcpy(void *to, const void *from, __SIZE_TYPE__ size);
int memcmp(const void *one, const void *other, __SIZE_TYPE__ size);
__SIZE_TYPE__ strlen(const char *text);
int strcmp(const char *one, const char *other);
int format_text(char *to, long room, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
