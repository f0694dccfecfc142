/* What C tests print: TAP, the plan at the end. */
#ifndef OG_TAP_H
#define OG_TAP_H

#include <stdarg.h>
#include <stdio.h>

struct tap {
	int tests, failed;
};

/* One test, named as printf(3) does; returns `good`. */
__attribute__((format(printf, 3, 4))) static inline int
tap(struct tap *t, int good, const char *name, ...)
{
	va_list ap;

	t->tests++;
	t->failed += !good;
	printf("%sok %d - ", good ? "" : "not ", t->tests);
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

/* The exit status. */
static inline int
tap_end(const struct tap *t)
{
	printf("1..%d\n", t->tests);
	return t->failed != 0;
}

#endif
