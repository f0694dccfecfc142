/*
 * VictoriaMetrics: samples as its JSON import takes them, and every rule whose breach it answers with 204 all the same.
 * Samples of one series stand together in a line, {"metric":{labels},"values":[...],"timestamps":[...]}, times in milliseconds.
 */
#ifndef OG_VM_H
#define OG_VM_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "buf.h"
#include "json.h"
#include "push.h"

/* Input: records of og-record(5), Prometheus' text format, or lines of the JSON import, which are sent as they are. */
enum vm_input { VM_SAMPLES, VM_PROM, VM_IMPORT };

#define VM_EXTRAS 32
#define VM_LINE (1024 * 1024) /* bytes of a line that we make */
#define VM_KNOWN 8192         /* sets of labels that are remembered */
#define VM_SERIES 32000       /* bytes of a name and labels; longer ones get lost, and others with them, in index blocks of 64 KiB */

struct vm {
	enum vm_input input;
	int64_t begin, end; /* ms since 1970: what is to be sent, end not included; for the caller to set */
	/* What the server keeps; vm_server() sets it. */
	int64_t oldest, newest; /* ms since 1970 */
	int64_t asked;          /* ns since 1970: when it kept that; 0: not told */
	int labels;             /* of a series, its name being one of them */
	size_t name, value;     /* bytes of a label's */
	size_t line;            /* bytes of a line that is sent as it is */
	int infinite;           /* are infinities stored? */

	const char *extra[VM_EXTRAS];
	int nextra;
	struct json_reader *record, *metric;
	struct json_value v[4]; /* of the line being read */
	struct vm_shape {
		uint64_t id;
		int labels; /* extra ones counted */
		const char *why;
	} shape[JSON_SLOTS];
	struct vm_known {
		uint64_t hash;
		unsigned rules; /* v->rules, when they were read; 0: none were */
		char *text;     /* the tags as they stand in lines, and behind them what follows: labels of a key */
		size_t ntags, nlabels, size;
	} * known;             /* of earlier lines */
	struct vm_known *last; /* of the line before: most often those of the next one, too */
	unsigned rules;        /* changes with the limits of labels */
	struct buf key;        /* what follows from the line: its series, as members of "metric" */
	size_t nlabels;        /* bytes of key before the name */
	struct vm_time {
		int64_t ms;
		size_t n;
		char digit[16]; /* as it will be sent */
		char text[24];  /* as it stood in the line */
		size_t ntext;   /* 0: longer */
	} time;                 /* of the line before */
	uint64_t samples;       /* in it */
	const char *why;
};

/* 0, or -1 with errno. */
int vm_open(struct vm *, enum vm_input);
void vm_close(struct vm *);
/* The server adds this label to each series, and in place of one that has the name. `name=value`. 0, or -1 with *errstr. */
int vm_extra(struct vm *, const char *label, const char **errstr);
/* Set what the server keeps, from its metrics page. 0; -1 when it does not tell which times; the rest is then what all versions keep. */
int vm_server(struct vm *, const char *metrics, int64_t now_ns);
/* It is later than it was: what the server keeps has moved on with the clock. */
void vm_later(struct vm *, int64_t now_ns);
/*
 * Check a line, and put its form behind what `form` holds: nothing for lines to be sent as they are, and for those of the text format that
 * hold no sample. The series is in v->key.
 *   return   0; -1 and v->why when it must not be sent, `form` as it was
 */
int vm_record(struct vm *, const char *line, size_t len, struct buf *form);
/* The lines of a sorted batch of such forms. 0, or -1 with errno. */
int vm_encode(const struct batch *, struct buf *to);
/* How many samples a batch holds; a line of the import may hold many. */
uint64_t vm_samples(struct vm *, const struct batch *);
/* `samples`, `prom`, `import`; -1: none of them. */
int vm_input(const char *name);

/* What a server says that it did with samples since it was started; NaN: it does not say. */
struct vm_counts {
	double start, inserted, invalid, lost; /* lost: dropped in silence */
};

enum vm_verdict { VM_SAME, VM_DIFFERS, VM_UNKNOWN };

void vm_count(const char *page, struct vm_counts *);
/* Did it insert at least so many samples, and no more than `most`, and drop none? In words, too. */
enum vm_verdict vm_compare(const struct vm_counts *before, const struct vm_counts *now, uint64_t least, double most, char *said, size_t);
/* The URL under which a server's own pages are: without the path by which a cluster leads to tenants. To be freed; NULL with errno. */
char *vm_root(const char *base);

/* Its page of metrics, from its URL; `fresh`: what it says is to be of now, for which it is waited a second. 0; -1 after push_stop() */
int vm_ask_page(struct push *, const char *url, int fresh, struct push_answer *);
/* As vm_compare() with a page of now, asked for until it fits, some times. VM_UNKNOWN and `said`, too, when there is no page. */
enum vm_verdict vm_ask_counts(
    struct push *, const char *url, const struct vm_counts *before, uint64_t least, double most, char *said, size_t size);
/* Does it unpack bodies in zstd? `lines`: URL of its line protocol. 1; 0: that is not known; -1 after push_stop() */
int vm_ask_zstd(struct push *, const char *lines);

#define VM_SNAPSHOT 128 /* bytes of its name */

/*
 * A snapshot is taken of what is on disk, so it puts everything there first. It is deleted at once; one that could not be is in `left`.
 *   create, delete   URLs
 *   return           0; -1: it cannot be had
 */
int vm_ask_snapshot(struct push *, const char *create, const char *delete, char left[VM_SNAPSHOT]);

#endif
