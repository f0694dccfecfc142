/* pack: what is packed comes back, whatever was packed before with the same state. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "pack.h"
#include "tap.h"

static int
unpack(enum pack_form form, const struct buf *b, char *to, size_t size, size_t *n)
{
	z_stream z = { .next_in = (Bytef *)b->p, .avail_in = (uInt)b->n, .next_out = (Bytef *)to, .avail_out = (uInt)size };
	int ended;

	if (form == PACK_ZSTD) {
		*n = ZSTD_decompress(to, size, b->p, b->n);
		return ZSTD_isError(*n) ? -1 : 0;
	}
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -1;
	ended = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
	*n = size - z.avail_out;
	return inflateEnd(&z) == Z_OK && ended ? 0 : -1;
}

int
main(void)
{
	static char text[300000], back[sizeof(text) + 1];
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)("0123456789abcdef\n"[i * i % 17]);
	tap(&t, pack_form("none") == PACK_NONE && pack_form("lzma") == -1 && pack_form("") == -1, "names");
	for (enum pack_form form = PACK_GZIP; form <= PACK_ZSTD; form++) {
		struct pack *p = pack_open(form);
		struct buf b = { 0 };

		tap(&t, p != NULL && pack_form(pack_name(form)) == (int)form, "%s", pack_name(form));
		if (p == NULL)
			continue;
		for (size_t size = sizeof(text); size > 0; size /= 7) {
			size_t n;

			b.n = 0;
			tap(&t,
			    pack_put(p, text, size, &b) == 0 && unpack(form, &b, back, sizeof(back), &n) == 0 && n == size &&
				memcmp(text, back, n) == 0,
			    "%zu bytes", size);
		}
		pack_close(p);
		buf_free(&b);
	}
	return tap_end(&t);
}
