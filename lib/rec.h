/*
 * Lines in: newline-delimited records from a descriptor, of any length up to a bound. An unterminated last line counts.
 */
#ifndef OG_REC_H
#define OG_REC_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"

struct rec {
	int fd;
	const char *name;   /* for messages: "<stdin>" or a path */
	struct out *before; /* flushed before any read that would block; NULL: none */
	uint64_t line;      /* number of the line last returned, from 1 */
	uint64_t offset;    /* bytes of input before the next line, also while that is being passed over */
	char *buf;
	size_t pos, end, size, max;
	size_t seen;     /* bytes from pos on that hold no newline */
	uint64_t passed; /* bytes of that line that are gone already */
	int eof, skipping;
};

enum rec_status { REC_ERROR = -1, REC_END = 0, REC_LINE = 1, REC_LONG = 2 };

/* max: longest line in bytes without its newline; 0: OUT_LINE_MAX with it. 0, or -1 with errno. */
int rec_open(struct rec *, int fd, const char *name, struct out *before, size_t max);
/*
 * The next line, without its newline, in the reader's own buffer until the next call; the byte behind it may be written.
 *   REC_LINE   *line, *len
 *   REC_LONG   a line over the bound was passed over; r->line is its number
 *   REC_END    no more
 *   REC_ERROR  errno; that of the output if before->err is set
 */
enum rec_status rec_next(struct rec *, char **line, size_t *len);
/*
 * For an event loop: would rec_next() answer without a read? If not, rec_fill() reads once, which does not block when poll(2) says so.
 * rec_fill() returns 0, or -1 with errno.
 */
int rec_ready(struct rec *);
int rec_fill(struct rec *);
/*
 * Wait until rec_next() has something to give without waiting itself, or for so many nanoseconds; below 0: for ever.
 *   return   1 when it has, 0 when it has not yet (sooner, too, when only a part of a line came), -1 with errno as above
 */
int rec_wait(struct rec *, int64_t ns);
void rec_close(struct rec *);

#endif
