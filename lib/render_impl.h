/* Shared by the files of the renderer only. */
#ifndef OG_RENDER_IMPL_H
#define OG_RENDER_IMPL_H

#include "clock.h"
#include "render.h"

#define PAD 32       /* literals are copied in pieces of this size */
#define GENERATED 64 /* longest piece of a generated id */
#define SEALED 16    /* ids of spans that are remembered */

/* Text that is ready to be written. */
struct word {
	const char *p;
	uint32_t n;
};

enum step_kind { STEP_VALUE, STEP_TEXT, STEP_UNLESS, STEP_GOTO, STEP_FIELD };

/* Literal text, and then what the kind says. */
struct step {
	struct word word;
	uint8_t kind;
	uint8_t quote;  /* in quotes unless null */
	uint8_t bare;   /* alone in its field: null where there is nothing */
	uint8_t source; /* enum catalog_source */
	uint8_t tame;   /* STEP_FIELD: the field that ends here needs no guard */
	int16_t places;
	uint32_t salt;                   /* of the field, for what is drawn */
	int32_t arg;                     /* of the source; where to go on for STEP_UNLESS and STEP_GOTO */
	const char *text;                /* of a constant */
	const struct catalog_dist *dist; /* of what is drawn */
	const struct catalog_cond *when; /* STEP_UNLESS: go on at arg unless it holds */
};

struct program {
	int n;
	int tame; /* neither does the last one */
	struct step *step;
};

/* A row of the catalog's logs, as an operation has it. */
struct log_row {
	const struct catalog_log *row;
	int group;                 /* the first row of the same moment and event; they stand together */
	struct program program[2]; /* of a line: failed */
};
struct log_rows {
	int n, first[4]; /* by moment */
	struct log_row *row;
};

/* Hosts of a pool at a place. */
struct host {
	struct word name;
	int64_t skew; /* us */
};
struct pool {
	uint64_t key;
	uint32_t n;
	struct host *host;
};

/* The id of a request or of its user is written once and then copied. */
struct text {
	uint64_t of;
	int64_t time;
	size_t n;
	char *p;
};

/* A generated id. */
struct form {
	const struct catalog_text *text;
	struct mix_id id;
	struct word before; /* literal, then `hex` digits and nothing else; hex 0: put together piece by piece */
	int hex;
};

struct render {
	const struct sim *s;
	const struct catalog *c;
	const struct catalog_layout *layout;
	enum render_format format;
	struct program *program; /* [operations + 2 * services][failed] */
	struct sim_op *event;    /* [2 * services]: rollout start and end */
	struct form request, trace, span, user, ticket_form, *object;
	struct word *release, *place, *service, *persona, *class;
	struct word *op, *name, *link; /* of operations, services and links: their names */
	enum render_kind kind;
	int partial;           /* the layout leaves records out */
	int wild;              /* a host's name needs a guard in CSV or TSV */
	int plain;             /* code of a success that is nothing special: the first below 400; -1: 200 */
	struct log_rows *logs; /* [operations]; NULL: the layout tells nothing of lines */
	struct pool *pool;     /* [service][place]; NULL: the layout tells nothing of hosts */
	uint32_t stride;       /* numbers of classes and personas of users are told apart by the remainder */
	uint32_t user_stride;
	struct text trace_text, request_text, user_text;
	struct sealed {
		uint64_t of; /* name + 1; 0: none */
		uint64_t id;
	} sealed[SEALED];
	uint64_t now; /* request of which what follows is said */
	int64_t now_time, now_end;
	int32_t remote; /* span of the first call that left its place; -1 */
	uint32_t retries;
	struct render_line *line;
	uint32_t nlines, room;
	char *arena;
	size_t arena_n, arena_size;
	void **block;
	int nblocks;
	int64_t second; /* of what prefix says */
	char prefix[PAD];
	size_t most, longest;
};

/* What is being written. */
struct context {
	const struct sim_request *r;
	const struct sim_span *x;
	const struct sim_op *op;
	const struct render_given *given;
	const struct world_rollout *rollout; /* a rollout's record, not a span's */
	const struct render_line *line;      /* the record is one of these, of the span */
	const struct render_ticket *ticket;
	const struct render_thing *thing; /* the record is about no request */
	const struct host *host;          /* of a line */
	uint64_t writer;                  /* name of the span that a line is said to be of */
	uint64_t name;                    /* of the span */
	int64_t time;
	int place;
};

/* Words that render_word() made have a pad behind them. */
static inline char *
put_word(char *to, struct word w)
{
	memcpy(to, w.p, PAD);
	if (w.n > PAD)
		memcpy(to + PAD, w.p + PAD, w.n - PAD);
	return to + w.n;
}

static inline char *
put_release(char *to, struct word w)
{
	memcpy(to, w.p, w.n);
	return to + w.n;
}

static const char digits[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
			     "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static const char hexes[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
			    "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
			    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
			    "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
			    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
			    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

static inline char *
put_u64(char *to, uint64_t x)
{
	char buf[40];
	int n = 20;

	if (x < 10) {
		*to = (char)('0' + x);
		return to + 1;
	}
	for (; x >= 100; x /= 100)
		memcpy(buf + (n -= 2), digits + 2 * (x % 100), 2);
	if (x >= 10)
		memcpy(buf + (n -= 2), digits + 2 * x, 2);
	else
		buf[--n] = (char)('0' + x);
	memcpy(to, buf + n, 20); /* one length, whatever n; what is behind is written over */
	return to + 20 - n;
}

/* The last n digits of a number. */
static inline char *
put_digits(char *to, uint64_t x, int n)
{
	int k = n;

	for (; k > 1; x /= 100)
		memcpy(to + (k -= 2), digits + 2 * (x % 100), 2);
	if (k == 1)
		to[0] = (char)('0' + x % 10);
	return to + n;
}

/* Microseconds as milliseconds with at most `places` decimals, rounded, no zeros at the end. */
static inline char *
put_ms(char *to, int64_t us, int places)
{
	static const uint32_t unit[] = { 1000, 100, 10, 1 };
	uint64_t x = (uint64_t)us;
	uint32_t frac;

	if (places >= 0 && places < 3)
		x = (x + unit[places] / 2) / unit[places] * unit[places];
	to = put_u64(to, x / 1000);
	frac = (uint32_t)(x % 1000);
	if (frac == 0)
		return to;
	to[0] = '.';
	to[1] = (char)('0' + frac / 100);
	memcpy(to + 2, digits + 2 * (frac % 100), 2);
	return to + (frac % 10 != 0 ? 4 : frac % 100 != 0 ? 3 : 2);
}

static inline char *
put_hex16(char *to, uint64_t x)
{
	memcpy(to, hexes + 2 * (x >> 56), 2);
	memcpy(to + 2, hexes + 2 * (x >> 48 & 0xff), 2);
	memcpy(to + 4, hexes + 2 * (x >> 40 & 0xff), 2);
	memcpy(to + 6, hexes + 2 * (x >> 32 & 0xff), 2);
	memcpy(to + 8, hexes + 2 * (x >> 24 & 0xff), 2);
	memcpy(to + 10, hexes + 2 * (x >> 16 & 0xff), 2);
	memcpy(to + 12, hexes + 2 * (x >> 8 & 0xff), 2);
	memcpy(to + 14, hexes + 2 * (x & 0xff), 2);
	return to + 16;
}

static inline char *
put_hex(char *to, uint64_t x, int n)
{
	char buf[16];

	put_hex16(buf, x);
	memcpy(to, buf + 16 - n, (size_t)n);
	return to + n;
}

/* An id of less than 16 hexadecimal digits. */
static inline char *
put_narrow(char *to, const struct form *f, uint64_t narrow)
{
	memcpy(to, f->before.p, PAD);
	return put_hex(to + f->before.n, narrow, f->hex);
}

/* Text of n bytes that CSV and TSV write as it is. */
int render_tame(const char *text, size_t n);
/* Room that lives as long as the renderer, with a pad behind it; NULL: no memory. */
char *render_keep(struct render *, size_t n);
/* Text as it stands inside a field of the format, without quotes around it. 0 or -1. */
int render_word(struct render *, struct word *, const char *text);

/* These write at `to` and return the end. */
char *render_text(const struct render *, char *to, const char *text);
char *render_time(struct render *, char *to, int64_t us, int form);
char *render_pick(const struct render *, char *to, int list, uint64_t word);
struct name {
	uint64_t id[2];
	uint64_t narrow; /* 48 bits, where the form has less room than 64 */
	uint64_t number; /* dense, where it is of digits */
	uint64_t key;    /* of what is picked */
	int64_t time;
};
char *render_id(struct render *, char *to, const struct form *, const struct name *);
/* Names of spans: of the request, by name. */
char *render_span_id(struct render *, char *to, const struct sim_request *, uint64_t name);
char *render_request_id(struct render *, char *to, const struct sim_request *, uint64_t name);
char *render_trace_id(struct render *, char *to, uint64_t k, int64_t time);
char *render_root_id(struct render *, char *to, const struct sim_request *);
char *render_user(struct render *, char *to, uint64_t user, int64_t time);
char *render_who(struct render *, char *to, const struct context *);
char *render_object(struct render *, char *to, const struct context *);
char *render_ticket_id(struct render *, char *to, const struct context *);
/* A value of another line; NULL for null. */
char *render_taken(const struct render *, char *to, struct json_value);
/* What is drawn: pick, draw, hex, digits, uuid. */
char *render_drawn(struct render *, char *to, const struct step *, const struct context *);
/* The same of a record about no request. */
char *render_thing_value(struct render *, const struct step *, const struct context *, char *to);
/* Raw text of a value, escaped for JSON but without quotes; NULL for null. */
char *render_value(struct render *, const struct step *, const struct context *, char *to);

/* Look at a request that is not the one looked at last. */
void render_look(struct render *, const struct sim_request *);
/* Host of a service at a place, and by how much its clock is ahead for the lines of this request. */
const struct host *render_host(const struct render *, const struct context *, int service, int place);
int64_t render_skew(struct render *, const struct sim_request *, const struct host *);
/* The row of logs that a span's last line is of; NULL: it writes none. */
const struct catalog_log *render_last_line(struct render *, const struct context *);
const struct log_rows *render_rows(const struct render *, const struct context *);
int render_open_lines(struct render *);
int render_open_hosts(struct render *, char *err, size_t errsize);
void render_close_lines(struct render *);
/* Does the layout, or the text of its lines, have a source of a kind? */
int render_uses(const struct render *, int (*is)(enum catalog_source));

int render_failed(const struct context *);
int render_flag(const struct catalog_term *, const struct context *);
int render_holds(struct render *, const struct catalog_cond *, const struct context *);
int render_term(struct render *, const struct catalog_term *, const struct context *);
/* What a program is for. */
struct example {
	const struct sim_op *op;
	const struct world_rollout *rollout;
	const struct log_row *row; /* of a line */
	int failed;
	const struct render_thing *thing;
};
/* Fill a program. 0 or -1. */
int render_compile(struct render *, struct program *, const struct example *);
/* Does a record match the layout's field "*"? */
int render_is_left_out(struct render *, const struct context *);
char *render_run(struct render *, const struct program *, const struct context *, char *to);

#endif
