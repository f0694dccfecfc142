/*
 * VictoriaLogs: records as its inlets take them, and every rule whose breach it answers with 200 all the same.
 * Loki: a line becomes ["nanoseconds", "message", {"field": "text", ...}], its stream `"label":"text",...`; fields of nested objects are
 * named with dots, arrays become their JSON text, null and "" are left out, as the server itself does with JSON lines.
 * JSON lines are sent as they are, unless fields are added or left out.
 */
#ifndef OG_VL_H
#define OG_VL_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "buf.h"
#include "json.h"
#include "push.h"

enum vl_inlet { VL_LOKI, VL_JSONLINE };

#define VL_STREAMS 16
#define VL_EXTRAS 16
#define VL_IGNORED 64
#define VL_JSONLINE_BYTES 262144 /* a request, and with it a line and its newline: more, and lines are lost behind a 200 */
#define VL_LOKI_BYTES 2000000    /* a row; the server drops those over 2 MiB, its own overhead included */
#define VL_FIELDS 1000
#define VL_NAME 128

/* A name that stands in records as it is, or with `prefix` the beginning of names. */
struct vl_name {
	const char *p;
	size_t n;
	int prefix;
};

struct vl {
	enum vl_inlet inlet;
	struct json_reader *reader;
	struct vl_name own[2 + VL_STREAMS];      /* time, message, streams */
	struct json_value value[2 + VL_STREAMS]; /* of the line being read */
	int nstreams;
	int64_t oldest, newest; /* ns since 1970: what the server keeps */
	int64_t asked;          /* and when it kept that; 0: not told */
	int64_t begin, end;     /* what is to be sent, end not included; for the caller to set */
	uint64_t seq;           /* og_seq of the next record, from 1 on; for the caller to set */
	struct vl_name extra[VL_EXTRAS], ignored[VL_IGNORED];
	int nextra, nignored;
	unsigned labelled;                          /* bit i: stream field i is an extra one */
	struct buf labels, more, mark;              /* texts that are put behind labels and fields: of extra fields, of the batch */
	struct buf key;                             /* labels of the last record's stream */
	char name[VL_NAME + 1];                     /* of a nested field */
	char minute[sizeof("\"2025-12-03T12:20:")]; /* of the last time, and when it began */
	int64_t minute_ns;
	struct vl_plan *plan; /* what is known of the shapes of lines */
	int fields;
	struct buf *form;
	const char *why;
};

/* Names as they stand in the records; streams: comma between them, "" for none; it is written to. 0, or -1 with *errstr. */
int vl_open(struct vl *, enum vl_inlet, const char *time, const char *message, char *streams, const char **errstr);
void vl_close(struct vl *);
/*
 * Add a field to every record: `name=value`, which stays in use. A record that has this field is refused. 0, or -1 with *errstr.
 * That of a stream field becomes a label.
 */
int vl_extra(struct vl *, const char *field, const char **errstr);
/*
 * Leave fields out: names, comma between them, `prefix*` for all that begin so; fields of nested objects by their names with dots.
 * Such a field may break any rule. The names are written to and stay in use. 0, or -1 with *errstr.
 */
int vl_ignore(struct vl *, char *names, const char **errstr);
/* Have the fields og_batch, with this text, and og_seq, which counts, in the records that follow; NULL: no longer. 0, or -1 with errno. */
int vl_mark(struct vl *, const char *batch);
/*
 * Check a line and put its form behind what `form` holds; nothing when the line itself is to be sent: JSON lines without fields added or
 * left out. 0; -1 and v->why when it must not be sent, `form` as it was.
 */
int vl_record(struct vl *, const char *line, size_t len, struct buf *form);
/* Set oldest and newest from the server's metrics page. 0, or -1 when it does not tell. */
int vl_retention(struct vl *, const char *metrics, int64_t now);
/* It is later than it was: what the server keeps has moved on with the clock. */
void vl_later(struct vl *, int64_t now);

/* A time in ns since 1970: RFC 3339, or a whole number of seconds, ms, us or ns, by its size. 0 or -1. */
int vl_time(struct json_value, int64_t *ns);

/* An account, or account:project, as lines of a header, which stay in it. 0, or -1 when the text is neither. */
struct vl_tenant {
	unsigned id[2]; /* account, project */
	char line[2][32];
	const char *header[3]; /* NULL at the end */
};
int vl_tenant(struct vl_tenant *, const char *text);

/* ---- what is sent of a batch: 0, or -1 with errno ---- */

/* Forms of JSON lines, a newline behind each. */
int vl_encode_lines(const struct batch *, struct buf *to);
/* {"streams":[{"stream":{labels},"values":[record,record]},...]}; the batch is sorted. */
int vl_encode_loki(const struct batch *, struct buf *to);

/* ---- what the server holds of a load whose records carry a mark ---- */

struct vl_ask {
	struct push *push;
	const char *url;   /* of queries */
	uint64_t *refused; /* line numbers, in the order in which they were refused; freed by the caller */
	size_t nrefused, room;
	void (*say)(void *arg, const char *what); /* a difference, or why none can be told */
	void *arg;
	uint64_t gap[2]; /* first and last of the missing lines that are to be named next; 0: none */
	int named;
};

/* A line was refused. 0, or -1 with errno. */
int vl_ask_refused(struct vl_ask *, uint64_t line);
/*
 * Are the lines from .. to there that were accepted? What was accepted can be searched some seconds later: it is asked until no more come.
 * Differences are said, and with `verbose` that there are none; only so many lines are named.
 *   return   0; -1: not all, or it was said why nobody knows
 */
int vl_ask_lines(struct vl_ask *, uint64_t from, uint64_t to, int verbose);

#endif
