#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "pack.h"

#define LEVEL 1
#define GZIP_WINDOW (15 + 16) /* largest window; 16 asks zlib for gzip's framing */
#define GZIP_MEMORY 8         /* zlib's own default */

struct pack {
	enum pack_form form;
	z_stream gzip;
	ZSTD_CCtx *zstd;
};

static const char *const names[] = { [PACK_NONE] = "none", [PACK_GZIP] = "gzip", [PACK_ZSTD] = "zstd" };

int
pack_form(const char *name)
{
	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

const char *
pack_name(enum pack_form form)
{
	return names[form];
}

struct pack *
pack_open(enum pack_form form)
{
	struct pack *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->form = form;
	if (form == PACK_ZSTD && (p->zstd = ZSTD_createCCtx()) != NULL)
		return p;
	if (form == PACK_GZIP && deflateInit2(&p->gzip, LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
		return p;
	free(p);
	errno = ENOMEM;
	return NULL;
}

static int
put_gzip(struct pack *p, const void *from, size_t n, struct buf *to)
{
	size_t bound;
	char *room;

	if (n > UINT_MAX / 2 || deflateReset(&p->gzip) != Z_OK) {
		errno = EINVAL;
		return -1;
	}
	bound = deflateBound(&p->gzip, n);
	if ((room = buf_room(to, bound)) == NULL)
		return -1;
	/* zlib does not write to its input; its type is older than const. */
	p->gzip.next_in = (Bytef *)(uintptr_t)from;
	p->gzip.avail_in = (uInt)n;
	p->gzip.next_out = (Bytef *)room;
	p->gzip.avail_out = (uInt)bound;
	if (deflate(&p->gzip, Z_FINISH) != Z_STREAM_END) {
		errno = EINVAL;
		return -1;
	}
	to->n += bound - p->gzip.avail_out;
	return 0;
}

static int
put_zstd(struct pack *p, const void *from, size_t n, struct buf *to)
{
	size_t bound = ZSTD_compressBound(n);
	char *room = buf_room(to, bound);
	size_t got;

	if (room == NULL)
		return -1;
	got = ZSTD_compressCCtx(p->zstd, room, bound, from, n, LEVEL);
	if (ZSTD_isError(got)) {
		errno = EINVAL;
		return -1;
	}
	to->n += got;
	return 0;
}

int
pack_put(struct pack *p, const void *from, size_t n, struct buf *to)
{
	return p->form == PACK_GZIP ? put_gzip(p, from, n, to) : put_zstd(p, from, n, to);
}

void
pack_close(struct pack *p)
{
	if (p == NULL)
		return;
	if (p->form == PACK_GZIP)
		(void)deflateEnd(&p->gzip);
	ZSTD_freeCCtx(p->zstd);
	free(p);
}
