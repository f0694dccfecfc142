/*
 * Delivery of records to a server over HTTP/1.1, with an account of each: what was read is accepted, refused, or reported as not delivered.
 * One loop reads the input while requests are under way. A batch whose fate is unknown (no answer, half an answer) or that the server
 * cannot take now is sent again, the same bytes; one that it refuses is halved until the guilty records are alone.
 * Memory: at most `connections` + 2 batches, each up to three times the bytes of its lines (line, form, body).
 */
#ifndef OG_PUSH_H
#define OG_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "pack.h"
#include "rec.h"

#define PUSH_WHY 256 /* bytes of a reason, NUL included */

/* A complete answer: status line, headers and body. */
struct push_answer {
	long status;
	const char *type;     /* Content-Type, or "" */
	const char *location; /* or "": where a redirect leads */
	const char *body;     /* its first PUSH_BODY_MAX bytes, with a NUL behind them */
	size_t len;
};

#define PUSH_BODY_MAX (1024 * 1024)

enum push_verdict {
	PUSH_TAKEN,   /* every record of it */
	PUSH_AGAIN,   /* not now */
	PUSH_REFUSED, /* some record of it is at fault */
	PUSH_SMALLER, /* too much at once */
	PUSH_STOP     /* nothing will be taken until a person has mended something */
};

/* One line, and what the pusher makes of it. */
struct push_line {
	const char *text;
	size_t len;
	struct buf *form; /* append what is to be sent; nothing: the line as it is */
	const char *key;  /* records of one key stand together in a request */
	size_t nkey;
	const char *why; /* when it is refused */
};

/* Asked before the first batch is sent, in order, until it is answered with PUSH_TAKEN. */
struct push_probe {
	const char *url;
	const char *body; /* posted as a batch would be; NULL: GET */
};

/* What a pusher adds. Probe is the number of the probe that was answered, or -1 for a batch. */
struct push_user {
	void *arg;
	int (*check)(void *arg, struct push_line *);                      /* 0, or -1: refused */
	int (*encode)(void *arg, const struct batch *, struct buf *body); /* 0, or -1 with errno */
	enum push_verdict (*answer)(void *arg, int probe, const struct push_answer *, char why[PUSH_WHY]);
	void (*refused)(void *arg, uint64_t line, const char *why);
	void (*note)(void *arg, const char *what); /* for a person: at once, then not more than one in `every` ms */
};

struct push_settings {
	const char *url, *type, *agent;
	int dead; /* descriptor of the file for refused records; -1: none */
	const char *dead_name;
	size_t bytes, records;  /* of a batch; records 0: no limit */
	int64_t wait, deadline; /* ms; deadline, from a request's first sending on: 0: none */
	int64_t every;          /* ms between notes of trouble */
	int connections;
	enum pack_form pack;
	const struct push_probe *probe;
	int nprobe;
};

struct push_account {
	uint64_t read, accepted, refused;
	uint64_t undelivered, first; /* first: the smallest line number among them */
	uint64_t uncertain;          /* undelivered, but perhaps stored */
	uint64_t doubtful;           /* accepted, but perhaps stored more than once */
	uint64_t requests, retries, bytes;
};

struct push;

/* Settings, strings and user are kept by pointer. NULL with *errstr. */
struct push *push_open(const struct push_settings *, const struct push_user *, const char **errstr);
/*
 * Deliver all of `in`. SIGINT and SIGTERM are blocked from here on: the first one ends the input, the second one gives up.
 *   return   0 when the input was read to its end and every record was accepted or refused; else -1 and *errstr
 */
int push_run(struct push *, struct rec *in, struct push_account *, const char **errstr);
void push_close(struct push *);

/*
 * The URL of an inlet: path and query (name, value, ..., NULL) added to those of `base`.
 *   return   to be freed; or NULL and *errstr ("not an http or https URL such as ...", "user or password in the URL", ...)
 */
char *push_url(const char *base, const char *path, const char *const *query, const char **errstr);

/* What a status means where a server's facts say nothing else. 2xx is PUSH_TAKEN. */
enum push_verdict push_verdict(long status);

#endif
