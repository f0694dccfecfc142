/* buf: what is put stays, in order, however it grows. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };
	struct buf b = { 0 };
	size_t total = 0;
	int same = 1;

	tap(&t, buf_put(&b, "", 0) == 0 && b.p != NULL && b.n == 0, "nothing");
	tap(&t, buf_puts(&b, "abc") == 0 && b.n == 3 && memcmp(b.p, "abc", 3) == 0, "a string");
	b.n = 0;
	for (size_t n = 1; n < 100000; n += n / 2 + 1) {
		char *to = buf_room(&b, n);

		if (to == NULL)
			return 1;
		memset(to, (int)(n & 127), n);
		b.n += n;
		total += n;
	}
	for (size_t n = 1, at = 0; n < 100000; at += n, n += n / 2 + 1)
		for (size_t i = at; i < at + n; i++)
			same = same && b.p[i] == (char)(n & 127);
	tap(&t, same && b.n == total && b.size >= total, "%zu bytes in pieces", total);
	tap(&t, buf_room(&b, SIZE_MAX) == NULL && errno == ENOMEM && b.n == total, "too much");
	buf_free(&b);
	tap(&t, b.p == NULL && b.n == 0 && b.size == 0, "freed");
	return tap_end(&t);
}
