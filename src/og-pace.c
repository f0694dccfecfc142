/*
 * og-pace: release records in time
 *
 * Standard input: records, one JSON object a line. Standard output: the same, each when it is due: at its own time, so many times faster,
 * or at a fixed rate. What is written depends on the input alone; when, on the clock.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "help.h"
#include "json.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "say.h"

#define NSEC 1000000000LL
#define BURST (NSEC / 10) /* what is made up for, at most, at a fixed rate */
#define FACTOR_MIN 0.001
#define FACTOR_MAX 1e9
#define HELD_MAX 65536                /* records held */
#define HELD_BYTES (64 * 1024 * 1024) /* and bytes of them */
#define KEEP 1024                     /* a held record's memory is kept for the next one up to this */
#define STRETCH 1024                  /* records; more than a tree has spans */
#define TIME_SIZE 64                  /* bytes of a time and a NUL */
#define LATE_MAX (365 * CLOCK_DAY)
#define TIME_MAX (INT64_MAX / 8) /* us; sums of a few stay in range */

static struct opts {
	const char *key;
	double rate, factor; /* 0: none given */
	int64_t late;        /* us */
} opts = { .late = CLOCK_SECOND };

/* A record that was not due when it was read. */
struct held {
	int64_t due; /* us */
	uint64_t number;
	char *line; /* with its newline */
	size_t len, size;
};

struct pacer {
	struct json_reader *reader;
	struct rec in;
	struct out out;
	clockid_t clock;
	int64_t first, base; /* -x: time of the first record, and when it was released; us */
	int64_t last;        /* -L 0: when the record before is due */
	struct held held[HELD_MAX];
	uint32_t heap[HELD_MAX]; /* indexes into held: n in a heap, earliest first, and those not in use behind them */
	uint32_t n, made;
	size_t bytes;
	int64_t ahead;    /* earliest due time in the present stretch of records */
	unsigned stretch; /* records in it */
	int started, ended, bad;
};

static int64_t
now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) == -1)
		err(1, "clock");
	return (int64_t)t.tv_sec * NSEC + t.tv_nsec;
}

/* Everything written so far goes out first. */
static void
sleep_until(struct pacer *p, int64_t sec, int64_t nsec)
{
	struct timespec t = { .tv_sec = (time_t)sec, .tv_nsec = (long)nsec };

	if (out_flush(&p->out) == 0)
		while (clock_nanosleep(p->clock, TIMER_ABSTIME, &t, NULL) == EINTR)
			continue;
}

static void
refuse(struct pacer *p, const char *what)
{
	warnx("%s:%llu: %s", p->in.name, (unsigned long long)p->in.line, what);
	p->bad = 1;
}

/* A text is a date and time, a number is seconds since 1970. */
static int
read_time(struct json_value v, int64_t *us)
{
	char text[TIME_SIZE];
	double seconds;
	int n;

	if (json_is_string(v))
		return (n = json_text(v, text, sizeof(text))) == -1 ? -1 : clock_parse(text, (size_t)n, us);
	if (json_scaled(v, 6, us) == 0)
		return *us < -TIME_MAX || *us > TIME_MAX ? -1 : 0;
	if (json_double(v, &seconds) == -1 || seconds * CLOCK_SECOND < (double)-TIME_MAX || seconds * CLOCK_SECOND > (double)TIME_MAX)
		return -1;
	*us = (int64_t)(seconds * CLOCK_SECOND);
	return 0;
}

/* When a record of this time is due. */
static int64_t
due_at(struct pacer *p, int64_t us)
{
	double distance;

	if (opts.factor == 0)
		return us;
	if (!p->started) {
		p->started = 1;
		p->first = us;
		p->base = now(p->clock) / 1000;
	}
	distance = (double)(us - p->first) / opts.factor;
	return distance > (double)TIME_MAX ? TIME_MAX : distance < (double)-TIME_MAX ? -TIME_MAX : p->base + (int64_t)distance;
}

/* NULL, or what is wrong with the record. */
static const char *
find_due(struct pacer *p, const char *line, size_t len, int64_t *due)
{
	struct json_value value[2] = { { 0 } }, v;
	const char *why;
	int64_t us;

	if (json_read(p->reader, line, len, value, &why) == -1)
		return why;
	v = json_is_null(value[0]) ? value[1] : value[0];
	if (json_is_null(v))
		return "no time";
	if (read_time(v, &us) == -1)
		return "not a time";
	*due = due_at(p, us);
	if (opts.late == 0 && *due < p->last)
		*due = p->last;
	p->last = *due;
	return NULL;
}

static int
earlier(const struct pacer *p, uint32_t a, uint32_t b)
{
	const struct held *x = &p->held[a], *y = &p->held[b];

	return x->due != y->due ? x->due < y->due : x->number < y->number;
}

static void
hold(struct pacer *p, const char *line, size_t len, int64_t due)
{
	uint32_t i = p->n++, slot;
	struct held *h;

	if (i == p->made) {
		p->heap[i] = i;
		p->made++;
	}
	slot = p->heap[i];
	h = &p->held[slot];
	if (h->size < len) {
		free(h->line);
		h->size = len < KEEP ? KEEP : len;
		if ((h->line = malloc(h->size)) == NULL)
			err(1, NULL);
	}
	memcpy(h->line, line, len);
	h->len = len;
	h->due = due;
	h->number = p->in.line;
	p->bytes += h->size;
	for (; i > 0 && earlier(p, slot, p->heap[(i - 1) / 2]); i = (i - 1) / 2)
		p->heap[i] = p->heap[(i - 1) / 2];
	p->heap[i] = slot;
}

static void
release_first(struct pacer *p)
{
	uint32_t slot = p->heap[0], last = p->heap[--p->n], i = 0, child;
	struct held *h = &p->held[slot];

	out_put(&p->out, h->line, h->len);
	p->bytes -= h->size;
	if (h->size > KEEP) {
		free(h->line);
		h->line = NULL;
		h->size = 0;
	}
	for (; (child = 2 * i + 1) < p->n; i = child) {
		if (child + 1 < p->n && earlier(p, p->heap[child + 1], p->heap[child]))
			child++;
		if (!earlier(p, p->heap[child], last))
			break;
		p->heap[i] = p->heap[child];
	}
	p->heap[i] = last;
	p->heap[p->n] = slot;
}

/* A record as it was read, newline included. */
static void
take(struct pacer *p, const char *line, size_t len, int64_t t)
{
	const char *why;
	int64_t due = 0;

	if ((why = find_due(p, line, len - 1, &due)) != NULL) {
		refuse(p, why);
		out_put(&p->out, line, len);
		return;
	}
	if (p->stretch == STRETCH)
		p->stretch = 0;
	if (p->stretch++ == 0 || due < p->ahead)
		p->ahead = due;
	/* With -x the clock starts with the first record, which is behind t. */
	if (due <= t || due == p->base)
		out_put(&p->out, line, len);
	else
		hold(p, line, len, due);
}

/*
 * When reading goes on: at once, but for a whole stretch of records that are all further ahead than any behind them may be late, or as many
 * held as there is room for.
 */
static int64_t
read_at(const struct pacer *p)
{
	int64_t late = opts.factor == 0 ? opts.late : (int64_t)((double)opts.late / opts.factor);

	if (p->ended || p->n == HELD_MAX || p->bytes >= HELD_BYTES)
		return INT64_MAX;
	return p->stretch < STRETCH ? INT64_MIN : p->ahead - late;
}

static void
by_time(struct pacer *p)
{
	enum rec_status status;
	size_t len;
	char *line;

	while (p->out.err == 0 && (!p->ended || p->n > 0)) {
		int64_t t = now(p->clock) / 1000, next = INT64_MAX, reading = read_at(p);
		int ready;

		while (p->n > 0 && p->held[p->heap[0]].due <= t)
			release_first(p);
		if (p->n > 0)
			next = p->held[p->heap[0]].due;
		if (reading > t) {
			next = next < reading ? next : reading;
			if (next != INT64_MAX)
				sleep_until(p, next / CLOCK_SECOND, next % CLOCK_SECOND * 1000);
			continue;
		}
		if ((ready = rec_wait(&p->in, next == INT64_MAX ? -1 : (next - t < CLOCK_HOUR ? next - t : CLOCK_HOUR) * 1000)) == 0)
			continue;
		if ((status = ready == -1 ? REC_ERROR : rec_next(&p->in, &line, &len)) == REC_LONG)
			refuse(p, "line too long");
		else if (status == REC_LINE) {
			line[len] = '\n';
			take(p, line, len + 1, t);
		} else {
			p->ended = 1;
			if (status == REC_ERROR && p->out.err == 0) {
				warn("%s", p->in.name);
				p->bad = 1;
			}
		}
	}
}

/* Record i is due i / rate seconds behind the first; a pause of the input moves all that follow, but for a burst. */
static void
by_rate(struct pacer *p)
{
	int64_t base = 0, n = 0;
	enum rec_status status;
	size_t len;
	char *line;

	while (p->out.err == 0 && (status = rec_next(&p->in, &line, &len)) != REC_END) {
		int64_t t = now(p->clock), due;

		if (status == REC_ERROR) {
			if (p->out.err == 0) {
				warn("%s", p->in.name);
				p->bad = 1;
			}
			return;
		}
		if (status == REC_LONG) {
			refuse(p, "line too long");
			continue;
		}
		if (!p->started) {
			p->started = 1;
			base = t;
		}
		due = base + (int64_t)((double)n * NSEC / opts.rate);
		if (due > t)
			sleep_until(p, due / NSEC, due % NSEC);
		else if (t - due > BURST) {
			base = t - BURST;
			n = 0;
		}
		n++;
		line[len] = '\n';
		out_put(&p->out, line, len + 1);
	}
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-pace [-k key] [-L late] [-x factor]\n"
		  "       og-pace -r rate\n",
	    HELP_OG_PACE, status);
}

static double
number(const char *s, const char *name, const char *such, double lo, double hi)
{
	double x;

	if (num_decimal(s, strlen(s), &x) == -1)
		errx(2, "not a %s such as %s: %s", name, such, s);
	if (x < lo || x > hi)
		errx(2, "%s is too %s: %s", name, x < lo ? "small" : "large", s);
	return x;
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "key", required_argument, NULL, 'k' },
		{ "late", required_argument, NULL, 'L' },
		{ "rate", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'V' },
		{ "speed", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int ch, timed = 0;

	while ((ch = getopt_long(argc, argv, "hk:L:r:Vx:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'h':
			usage(0);
		case 'k':
			opts.key = optarg;
			timed = 1;
			break;
		case 'L':
			if (clock_duration(optarg, strlen(optarg), &opts.late) == -1 || opts.late < 0 || opts.late > LATE_MAX)
				errx(2, "late is no duration of at most a year, such as 250ms or 5m: %s", optarg);
			timed = 1;
			break;
		case 'r':
			opts.rate = number(optarg, "rate", "1000 or 0.5", FACTOR_MIN, FACTOR_MAX);
			break;
		case 'V':
			say_version("og-pace");
		case 'x':
			opts.factor = number(optarg, "factor", "60 or 0.5", FACTOR_MIN, FACTOR_MAX);
			timed = 1;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind || (opts.rate != 0 && timed))
		usage(2);
}

int
main(int argc, char *argv[])
{
	static const char *const usual[] = { "timestamp", "ts" };
	static struct pacer p;

	parse(argc, argv);
	p.clock = opts.rate == 0 && opts.factor == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	p.last = -TIME_MAX;
	p.reader = opts.key == NULL ? json_reader(usual, 2) : json_reader(&opts.key, 1);
	if (p.reader == NULL || out_open(&p.out, STDOUT_FILENO, 0) == -1 || rec_open(&p.in, STDIN_FILENO, "<stdin>", &p.out, 0) == -1)
		err(1, NULL);
	if (opts.rate != 0)
		by_rate(&p);
	else
		by_time(&p);
	if (out_close(&p.out) == -1)
		err(1, "<stdout>");
	return p.bad;
}
