/*
 * VictoriaLogs: records as its inlets take them, and every rule whose breach it answers with 200 all the same.
 * Loki: a line becomes ["nanoseconds", "message", {"field": "text", ...}], its stream `"label":"text",...`; fields of nested objects are
 * named with dots, arrays become their JSON text, null and "" are left out, as the server itself does with JSON lines.
 */
#ifndef OG_VL_H
#define OG_VL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "json.h"

enum vl_inlet { VL_LOKI, VL_JSONLINE };

#define VL_STREAMS 16
#define VL_JSONLINE_BYTES 262144 /* a request, and with it a line and its newline: more, and lines are lost behind a 200 */
#define VL_LOKI_BYTES 2000000    /* a row; the server drops those over 2 MiB, its own overhead included */
#define VL_FIELDS 1000
#define VL_NAME 128

struct vl {
	enum vl_inlet inlet;
	struct json_reader *reader;
	struct json_value value[2 + VL_STREAMS]; /* time, message, streams */
	const char *stream[VL_STREAMS];
	int nstreams;
	int64_t oldest, newest; /* ns since 1970: what the server keeps */
	struct buf key;         /* labels of the last record's stream */
	char name[VL_NAME + 1]; /* of a nested field */
	int fields;
	struct buf *form;
	const char *why;
};

/* Names as they stand in the records; streams: comma between them, "" for none; it is written to. 0, or -1 with *errstr. */
int vl_open(struct vl *, enum vl_inlet, const char *time, const char *message, char *streams, const char **errstr);
void vl_close(struct vl *);
/* Check a line and put its form (Loki only) behind what `form` holds. 0; -1 and v->why when it must not be sent. */
int vl_record(struct vl *, const char *line, size_t len, struct buf *form);
/* Set oldest and newest from the server's metrics page. 0, or -1 when it does not tell. */
int vl_retention(struct vl *, const char *metrics, int64_t now);

/* A time in ns since 1970: RFC 3339, or a whole number of seconds, ms, us or ns, by its size. 0 or -1. */
int vl_time(struct json_value, int64_t *ns);

#endif
