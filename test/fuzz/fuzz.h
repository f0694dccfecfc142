/* What fuzzers share: one entry, and a check that stops the run. */
#ifndef OG_FUZZ_H
#define OG_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
must(int promise)
{
	if (!promise)
		__builtin_trap();
}

/* A copy that ends where its memory ends, so that reading past it is seen. */
static inline char *
exact(const void *p, size_t n)
{
	char *copy = malloc(n != 0 ? n : 1);

	must(copy != NULL);
	if (n != 0)
		memcpy(copy, p, n);
	return copy;
}

#endif
