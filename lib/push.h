/*
 * Delivery of records to a server over HTTP/1.1, with an account of each: what was read is accepted, refused, or reported as not delivered.
 * One loop reads the input while requests are under way. A batch whose fate is unknown (no answer, half an answer) or that the server
 * cannot take now is sent again, the same bytes; one that it refuses is divided until the guilty records are alone. What was accepted is
 * kept for the settle time, and sent again when the server turns out to be another than the one that accepted it.
 * Memory: at most `connections` + 2 batches, each up to three times the bytes of its lines (line, form, body), and `memory` for lines in
 * settlement; of these nothing is kept when the input is a regular file, from which they can be read again.
 */
#ifndef OG_PUSH_H
#define OG_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "pack.h"
#include "rec.h"

#define PUSH_WHY 256                      /* bytes of a reason, NUL included */
#define PUSH_LINE_MAX (128 * 1024 * 1024) /* longer lines are refused without their text */

/* A complete answer: status line, headers and body. */
struct push_answer {
	long status;
	const char *type;     /* Content-Type, or "" */
	const char *location; /* or "": where a redirect leads */
	const char *body;     /* its first PUSH_BODY_MAX bytes, with a NUL behind them */
	size_t len;
	void *of; /* for push_header() */
};

#define PUSH_BODY_MAX (1024 * 1024)

/* A header of the answer by its name, or NULL. Valid until the next call. */
const char *push_header(const struct push_answer *, const char *name);

enum push_verdict {
	PUSH_TAKEN,   /* every record of it */
	PUSH_NEXT,    /* one step of its sending is done: it is encoded again, with one more in b->step, and sent at once */
	PUSH_AGAIN,   /* not now */
	PUSH_REFUSED, /* some record of it is at fault */
	PUSH_SMALLER, /* too much at once */
	PUSH_DENIED,  /* who we are is not known: the end before anything was accepted, later tried again with what the files say then */
	PUSH_STOP     /* nothing will be taken until a person has mended something */
};

/* What an answer to a batch means. */
struct push_reply {
	enum push_verdict verdict;
	uint64_t row;      /* PUSH_REFUSED: the record at fault, counted from 1 in the order of the body; 0: not told */
	int untouched;     /* this request has certainly stored nothing; PUSH_TAKEN: the records are there once, whatever was sent before */
	struct buf *known; /* PUSH_NEXT: b->known, for what the next step needs */
	char why[PUSH_WHY];
};

/* One line, and what the pusher makes of it. */
struct push_line {
	const char *text;
	size_t len;
	uint64_t number;
	struct buf *form; /* append what is to be sent; nothing: the line as it is */
	const char *key;  /* records of one key stand together in a request */
	size_t nkey;
	int first, last; /* it begins a batch, it ends one */
	int behind;      /* it begins a batch, too, and is not sent before each line ahead of it is accepted or refused */
	uint64_t lane;   /* of the batch that it begins: not 0: batches of one lane are sent one after the other */
	const char *why; /* when it is refused */
	int open;        /* the next line belongs to it, so that no later run may begin between them */
};

/* Which server it is that answers: all stay 0 when it does not tell. */
struct push_life {
	double start;  /* seconds since 1970, whole ones at worst */
	double growth; /* a number that only grows while it lives, such as its CPU time */
	double age;    /* seconds since then, at least; 0: not told */
};

struct push_account {
	uint64_t read, accepted, refused;
	uint64_t settled;                        /* of the accepted */
	uint64_t undelivered, first;             /* first: the smallest line number among them */
	uint64_t uncertain;                      /* undelivered, but perhaps stored */
	uint64_t unsettled;                      /* accepted, but not known to have lasted */
	uint64_t doubtful;                       /* accepted, but perhaps stored more than once */
	uint64_t requests, retries, bytes, sent; /* sent: records, repetitions included */
	uint64_t restarts, replayed;             /* servers that were found to be new; records sent again for that */
	uint64_t skipped, again; /* lines that the journal says were delivered before; lines behind them that may have been sent */
	uint64_t earlier;        /* records refused in earlier runs of the journal */
};

struct push;

/* What a pusher adds; what is NULL is left out. */
struct push_user {
	void *arg;
	/*
	 * The first line is there, nothing was sent: ask the server what must be known, with push_ask().
	 *   return   0; -1 after push_stop() or a failed push_ask()
	 */
	int (*begin)(void *arg, struct push *);
	int (*check)(void *arg, struct push_line *); /* 0, or -1: refused */
	/*
	 * The body, b->method, and what b->query adds to the URL; NULL: the lines as they are, behind `head`. 0, or -1 with errno.
	 * A batch that is sent again after its first step begins with that.
	 */
	int (*encode)(void *arg, struct batch *b, struct buf *body);
	/* reply is zeroed but for verdict, untouched and why, which are what the status says by itself. */
	void (*answer)(void *arg, const struct batch *, const struct push_answer *, struct push_reply *reply);
	void (*alive)(void *arg, const struct push_answer *, struct push_life *); /* what the page `health` tells */
	/* All that was accepted is on disk when this returns 0. -1: it cannot be had. Nothing is under way; it may use push_ask(). */
	int (*barrier)(void *arg, struct push *);
	void (*refused)(void *arg, uint64_t line, const char *why);
	void (*note)(void *arg, const char *what); /* for a person: at once, then not more than one in `every` ms */
	void (*progress)(void *arg, const struct push_account *, int in_flight, int last); /* once a second, and at the end */
};

struct push_settings {
	const char *url, *type, *agent;
	const char *health;                               /* URL of the page that `alive` reads */
	const char *target;                               /* names server and way of loading in the journal: no secret */
	const char *dead, *journal, *stats;               /* files; NULL: none */
	const char *headers, *password, *user, *key, *ca; /* file of header lines, file with user:password, or both; file of certificates */
	const char *head;                                 /* before the lines of each batch, newline included */
	const char *const *header;                        /* more of them, "Name: value", with NULL behind; no secrets */
	const char *secret;                               /* query of the URL as it was given: its values are not shown */
	size_t bytes, records;                            /* of a batch; records 0: no limit */
	size_t memory;                                    /* bytes of lines in settlement */
	int64_t wait, deadline, settle, drain;            /* ms; deadline, from a request's first sending on: 0: none */
	int64_t every;                                    /* ms between notes of trouble */
	int once;          /* records are told apart there, so that repetitions do no harm while batches are cut at the same places */
	uint64_t ahead;    /* lines of the input that were read before, such as a header */
	uint64_t max_dead; /* refused records that end the load; 0: none */
	int connections;
	enum pack_form pack;
};

/* Settings, strings and user are kept by pointer. NULL with why. */
struct push *push_open(const struct push_settings *, const struct push_user *, char why[PUSH_WHY]);
/*
 * Deliver all of `in`. SIGINT and SIGTERM are blocked from push_open() on: the first one ends the input, the second one gives up.
 *   return   0 when the input was read to its end and every record was accepted or refused; else -1 and push_error()
 */
int push_run(struct push *, struct rec *in, struct push_account *);
void push_close(struct push *);
/* Why it ended early, or "". */
const char *push_error(const struct push *);
/* No more is sent; why is copied. */
void push_stop(struct push *, const char *why);
/* For a batch's own number: a mark of this load, the same in every run with one journal. 32 hexadecimal digits. */
const char *push_mark(const struct push *);
/* Readable when a signal waits to be seen. */
int push_signals(const struct push *);

/* An answer in words, without secrets: "401: wrong password" */
void push_says(const struct push *, const struct push_answer *, char why[PUSH_WHY]);

/* A question to the server. */
struct push_question {
	const char *url;
	const char *body; /* posted, as a batch would be when `packed`; NULL: GET */
	size_t len;
	const char *type; /* of the body, when it is not packed */
	int packed;
	enum push_verdict (*verdict)(const struct push_answer *); /* PUSH_AGAIN: asked again; NULL: as the status says */
};

/*
 * Ask and wait, again and again as for a batch while the answer is missing or PUSH_AGAIN by its status. Only while no batch is under way:
 * in begin(), in barrier(), and after push_run().
 *   return   0 and an answer, valid until the next call; -1 when it was given up: push_error()
 */
int push_ask(struct push *, const struct push_question *, struct push_answer *);

/*
 * The URL of an inlet: path and query (name, value, ..., NULL) added to those of `base`.
 *   return   to be freed; or NULL and *errstr ("not an http or https URL such as ...", "user or password in the URL", ...)
 */
char *push_url(const char *base, const char *path, const char *const *query, const char **errstr);

/* What a status means where a server's facts say nothing else. 2xx is PUSH_TAKEN. */
enum push_verdict push_verdict(long status);

#endif
