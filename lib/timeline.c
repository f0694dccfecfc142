#include <errno.h>
#include <stdlib.h>

#include "dist.h"
#include "mix.h"
#include "timeline.h"

/*
 * Bounds. A quarter hour of a class weighs at most 2^44 (mass times growth), a frame of all classes less than 2^57, and with SPAN_MAX there
 * are fewer than 2^21 frames: cumulative mass stays below 2^78, times sessions below 2^114.
 */
#define QUARTER INT64_C(900000000) /* us */
#define DAY (96 * QUARTER)
#define SPAN_MAX (INT64_C(1) << 57) /* us: a time and a class share a word when streams are merged */
#define SESSIONS_MAX (UINT64_C(1) << 36)
#define COUNT_MAX (UINT64_C(1) << 48) /* with what follows `until`; counts stay exact in a double */
#define MASS_MAX (1U << 24)
#define GROWTH_MAX (1U << 20)
#define CLASS_BITS 6
#define NONE UINT64_MAX

enum {
	LEAF = 16,     /* at most so many sessions are drawn one by one */
	HALVINGS = 30, /* of a quarter hour: then a part is shorter than 1 us */
	STACK = 40     /* 7 levels of quarter hours, HALVINGS, and the node in hand */
};

__extension__ typedef unsigned __int128 u128;

struct frame {
	int64_t start; /* us */
	uint32_t growth;
	uint32_t quarter; /* of the week, at start */
};

struct timeline {
	int classes, frames;
	int64_t begin, until, end;
	uint64_t key[TIMELINE_CLASSES];
	uint64_t given;                      /* sessions before `end` */
	u128 mass;                           /* of [begin, until), times QUARTER */
	struct frame *frame;                 /* one more than there are */
	uint64_t *total;                     /* sessions before a frame, one more */
	uint64_t *count;                     /* the same by class, [frame][class] */
	uint64_t (*week)[TIMELINE_WEEK + 1]; /* per class, mass before a quarter hour of the week */
};

/* A class in a frame: all that draws depend on. Times below are relative to the begin of the timeline. */
struct place {
	uint64_t key;
	const uint64_t *mass; /* before each quarter hour of the frame, from any origin */
	int64_t start;
};

/* A part of a frame: quarter hours [lo, hi), or, in a single one, part `part` of 2^depth equal ones. */
struct node {
	uint64_t n, id; /* id: 1 for the frame, 2 id and 2 id + 1 for the halves */
	uint32_t lo, hi, part, depth;
};

/* One class in order of time: what is left of a leaf, then the stack, then the frames that follow. */
struct cursor {
	struct place in;
	uint64_t ordinal; /* of the first in the leaf */
	uint64_t left;    /* in the leaf */
	int64_t base;
	uint32_t at, step;   /* time[at] is the first; step 0: all at the same time */
	uint32_t time[LEAF]; /* after base */
	int class, frame;    /* frame: the next to enter */
	int depth;
	struct node stack[STACK];
};

/* Merge by a tree of losers over words of time and class; every inner node holds the later of two winners, the root's winner is `head`. */
struct timeline_walk {
	const struct timeline *t;
	uint64_t head, limit;
	uint32_t leaves; /* a power of two */
	uint64_t loser[TIMELINE_CLASSES];
	struct cursor cursor[];
};

static int64_t
day_of(int64_t us)
{
	return us / DAY - (us % DAY < 0);
}

static uint32_t
week_quarter(int64_t us)
{
	/* 1970 began on a Thursday. */
	int64_t quarter = (us / QUARTER + 3 * 96) % TIMELINE_WEEK;

	return (uint32_t)(quarter < 0 ? quarter + TIMELINE_WEEK : quarter);
}

static uint32_t
quarters(const struct timeline *t, int f)
{
	return (uint32_t)((t->frame[f + 1].start - t->frame[f].start) / QUARTER);
}

/* Mass of a class in a frame, without growth: below 2^31. */
static uint64_t
class_mass(const struct timeline *t, int f, int class)
{
	const uint64_t *w = &t->week[class][t->frame[f].quarter];

	return w[quarters(t, f)] - w[0];
}

static uint64_t
classes_mass(const struct timeline *t, int f)
{
	uint64_t sum = 0;

	for (int c = 0; c < t->classes; c++)
		sum += class_mass(t, f, c);
	return sum;
}

static struct place
place_at(const struct timeline *t, int f, int class)
{
	const struct frame *at = &t->frame[f];
	struct place p;

	p.key = mix_at(t->key[class], (uint64_t)(at->start / QUARTER));
	p.mass = &t->week[class][at->quarter];
	p.start = at->start - t->begin;
	return p;
}

static struct node
root_of(const struct timeline *t, int f, int class)
{
	const uint64_t *before = &t->count[(size_t)f * (size_t)t->classes + (size_t) class];
	struct node root = { 0, 1, 0, quarters(t, f), 0, 0 };

	root.n = before[t->classes] - before[0];
	return root;
}

/* Of n, those that fall into `part` of the mass `all`. */
static uint64_t
share_of(uint64_t key, uint64_t n, uint64_t part, uint64_t all)
{
	if (n == 0 || part == 0)
		return 0;
	return part == all ? n : dist_binomial(key, n, (double)part / (double)all);
}

static int
is_leaf(const struct node *d)
{
	return d->hi - d->lo == 1 && (d->n <= LEAF || d->depth == HALVINGS);
}

/* Relative to the frame. Rounded down, so the last sessions of the part before may start at this very microsecond, but never after it. */
static int64_t
node_begin(const struct node *d)
{
	return (int64_t)d->lo * QUARTER + (((int64_t)d->part * QUARTER) >> d->depth);
}

static void
halve(const struct place *p, const struct node *d, struct node half[2])
{
	uint64_t key = mix_at(p->key, d->id), left;

	half[0] = half[1] = *d;
	half[0].id = d->id * 2;
	half[1].id = d->id * 2 + 1;
	if (d->hi - d->lo > 1) {
		uint32_t mid = (d->lo + d->hi) / 2;

		half[0].hi = half[1].lo = mid;
		left = share_of(key, d->n, p->mass[mid] - p->mass[d->lo], p->mass[d->hi] - p->mass[d->lo]);
	} else {
		half[0].depth = half[1].depth = d->depth + 1;
		half[0].part = d->part * 2;
		half[1].part = d->part * 2 + 1;
		left = dist_binomial(key, d->n, 0.5);
	}
	half[0].n = left;
	half[1].n = d->n - left;
}

static void
sort(uint32_t *a, int n)
{
	for (int i = 1; i < n; i++) {
		uint32_t x = a[i];
		int j = i;

		for (; j > 0 && a[j - 1] > x; j--)
			a[j] = a[j - 1];
		a[j] = x;
	}
}

static void
leaf_enter(struct cursor *cur, const struct node *d)
{
	uint64_t key = mix_at(cur->in.key, d->id), from = (uint64_t)d->part * (uint64_t)QUARTER;
	int n = d->n <= LEAF ? (int)d->n : 0;

	cur->base = cur->in.start + (int64_t)d->lo * QUARTER;
	cur->left = d->n;
	cur->at = 0;
	cur->step = 1;
	for (int i = 0; i < n; i += 2) {
		uint64_t word = mix_at(key, (uint64_t)i);

		cur->time[i] = (uint32_t)((from + mix_below((uint32_t)word, (uint32_t)QUARTER)) >> d->depth);
		cur->time[i + 1] = (uint32_t)((from + mix_below((uint32_t)(word >> 32), (uint32_t)QUARTER)) >> d->depth);
	}
	sort(cur->time, n);
	if (d->n > LEAF) {
		cur->step = 0;
		cur->time[0] = (uint32_t)(from >> d->depth);
	}
}

static void
push(struct cursor *cur, const struct node *d)
{
	if (d->n > 0)
		cur->stack[cur->depth++] = *d;
}

/* The next leaf with sessions: 1, or 0 when the class has no more. */
static int
leaf_next(const struct timeline *t, struct cursor *cur)
{
	struct node d, half[2];

	for (;;) {
		while (cur->depth > 0) {
			d = cur->stack[--cur->depth];
			if (is_leaf(&d)) {
				leaf_enter(cur, &d);
				return 1;
			}
			halve(&cur->in, &d, half);
			push(cur, &half[1]);
			push(cur, &half[0]);
		}
		if (cur->frame == t->frames || t->frame[cur->frame].start >= t->end)
			return 0;
		d = root_of(t, cur->frame, cur->class);
		if (d.n > 0)
			cur->in = place_at(t, cur->frame, cur->class);
		push(cur, &d);
		cur->frame++;
	}
}

/* Pass over the sessions of a node that start before `us`, in the frame's own time; those that follow stay in the leaf and on the stack. */
static void
skip(struct cursor *cur, struct node d, int64_t us)
{
	struct node half[2];

	cur->left = 0;
	while (d.n > 0 && !is_leaf(&d)) {
		halve(&cur->in, &d, half);
		if (us <= node_begin(&half[1])) {
			push(cur, &half[1]);
			d = half[0];
		} else {
			cur->ordinal += half[0].n;
			d = half[1];
		}
	}
	if (d.n == 0)
		return;
	leaf_enter(cur, &d);
	us += cur->in.start - cur->base;
	while (cur->left > 0 && cur->time[cur->at] < us) {
		uint64_t n = cur->step == 0 ? cur->left : 1;

		cur->ordinal += n;
		cur->left -= n;
		cur->at += cur->step;
	}
}

/* The last frame that begins at or before a moment. */
static int
frame_of(const struct timeline *t, int64_t us)
{
	int lo = 0, hi = t->frames;

	while (hi - lo > 1) {
		int mid = lo + (hi - lo) / 2;

		if (t->frame[mid].start <= us)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static void
seek(const struct timeline *t, struct cursor *cur, int class, int64_t us)
{
	int f = frame_of(t, us);

	cur->class = class;
	cur->frame = f + 1;
	cur->depth = 0;
	cur->in = place_at(t, f, class);
	cur->ordinal = t->count[(size_t)f * (size_t)t->classes + (size_t) class];
	skip(cur, root_of(t, f, class), us - t->frame[f].start);
}

static int64_t
cut(int64_t us, int64_t lo, int64_t hi)
{
	return us < lo ? lo : us > hi ? hi : us;
}

uint64_t
timeline_before(const struct timeline *t, int class, int64_t us)
{
	struct cursor cur;
	uint64_t n = 0;

	us = cut(us, t->begin, t->end);
	for (int c = class < 0 ? 0 : class; c < (class < 0 ? t->classes : class + 1); c++) {
		seek(t, &cur, c, us);
		n += cur.ordinal;
	}
	return n;
}

/* The frame in which a rank falls. */
static int
frame_of_rank(const struct timeline *t, uint64_t rank)
{
	int lo = 0, hi = t->frames;

	while (hi - lo > 1) {
		int mid = lo + (hi - lo) / 2;

		if (t->total[mid] <= rank)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Where in its quarter hour, given as one node a class, the session of this rank starts: in the frame's own time. */
static int64_t
rank_in_quarter(const struct place *in, const struct node *d, int classes, uint64_t rank)
{
	int64_t lo = node_begin(&d[0]), hi = lo + QUARTER;
	struct cursor cur;

	while (hi - lo > 1) {
		int64_t mid = lo + (hi - lo) / 2;

		cur.ordinal = 0;
		for (int c = 0; c < classes; c++) {
			cur.in = in[c];
			cur.depth = 0;
			skip(&cur, d[c], mid);
		}
		if (cur.ordinal <= rank)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int64_t
timeline_at_rank(const struct timeline *t, uint64_t rank)
{
	struct place in[TIMELINE_CLASSES];
	struct node d[TIMELINE_CLASSES] = { { 0 } }, half[TIMELINE_CLASSES][2];
	int f;

	if (rank >= t->given)
		return t->end;
	f = frame_of_rank(t, rank);
	rank -= t->total[f];
	for (int c = 0; c < t->classes; c++) {
		in[c] = place_at(t, f, c);
		d[c] = root_of(t, f, c);
	}
	while (d[0].hi - d[0].lo > 1) {
		uint64_t left = 0;
		int side;

		for (int c = 0; c < t->classes; c++) {
			halve(&in[c], &d[c], half[c]);
			left += half[c][0].n;
		}
		side = rank >= left;
		if (side == 1)
			rank -= left;
		for (int c = 0; c < t->classes; c++)
			d[c] = half[c][side];
	}
	return t->frame[f].start + rank_in_quarter(in, d, t->classes, rank);
}

/* Mass of a class in the first `us` of a frame, without growth, times QUARTER. */
static uint64_t
mass_until(const struct timeline *t, int f, int class, int64_t us)
{
	const uint64_t *w = &t->week[class][t->frame[f].quarter + us / QUARTER];
	uint64_t part = (uint64_t)(us % QUARTER);

	/* Below 2^31 times 2^30. The quarter hour that has not begun is not looked at: it may be behind the table. */
	return (w[0] - t->week[class][t->frame[f].quarter]) * (uint64_t)QUARTER + (part == 0 ? 0 : (w[1] - w[0]) * part);
}

void
timeline_share(const struct timeline *t, int64_t from, int64_t to, double *share)
{
	u128 sum[TIMELINE_CLASSES] = { 0 };

	from = cut(from, t->begin, t->until);
	to = cut(to, from, t->until);
	for (int f = frame_of(t, from); f < t->frames && t->frame[f].start < to; f++) {
		int64_t start = t->frame[f].start;
		int64_t a = cut(from, start, to) - start, b = cut(t->frame[f + 1].start, start, to) - start;

		for (int c = 0; c < t->classes; c++)
			sum[c] += (u128)t->frame[f].growth * (mass_until(t, f, c, b) - mass_until(t, f, c, a));
	}
	for (int c = 0; c < t->classes; c++)
		share[c] = (double)sum[c] / (double)t->mass;
}

/* The word of a class's first session. */
static uint64_t
head_of(const struct timeline_walk *w, const struct cursor *cur)
{
	uint64_t word = (uint64_t)(cur->base + cur->time[cur->at]) << CLASS_BITS | (uint64_t)cur->class;

	return word < w->limit ? word : NONE;
}

struct timeline_walk *
timeline_walk(const struct timeline *t, int64_t from)
{
	struct timeline_walk *w;
	uint64_t winner[2 * TIMELINE_CLASSES];

	if ((w = malloc(sizeof *w + (size_t)t->classes * sizeof w->cursor[0])) == NULL)
		return NULL;
	w->t = t;
	w->limit = (uint64_t)(t->end - t->begin) << CLASS_BITS;
	w->leaves = 1;
	while (w->leaves < (uint32_t)t->classes)
		w->leaves *= 2;
	for (uint32_t i = 0; i < 2 * TIMELINE_CLASSES; i++)
		winner[i] = NONE;
	from = cut(from, t->begin, t->end);
	for (int c = 0; c < t->classes; c++) {
		struct cursor *cur = &w->cursor[c];

		seek(t, cur, c, from);
		if (cur->left > 0 || leaf_next(t, cur))
			winner[w->leaves + (uint32_t)c] = head_of(w, cur);
	}
	for (uint32_t i = w->leaves - 1; i > 0; i--) {
		uint64_t a = winner[2 * i], b = winner[2 * i + 1];

		winner[i] = a < b ? a : b;
		w->loser[i] = a < b ? b : a;
	}
	w->head = winner[1];
	return w;
}

int
timeline_next(struct timeline_walk *w, struct timeline_session *s)
{
	uint64_t word = w->head;
	uint32_t c = (uint32_t)word & (TIMELINE_CLASSES - 1);
	struct cursor *cur;

	if (word == NONE)
		return 0;
	cur = &w->cursor[c];
	s->start = w->t->begin + (int64_t)(word >> CLASS_BITS);
	s->ordinal = cur->ordinal++;
	s->class = (int)c;
	cur->at += cur->step;
	word = --cur->left > 0 || leaf_next(w->t, cur) ? head_of(w, cur) : NONE;
	for (uint32_t i = (w->leaves + c) / 2; i > 0; i /= 2) {
		uint64_t other = w->loser[i];

		w->loser[i] = word < other ? other : word;
		word = word < other ? word : other;
	}
	w->head = word;
	return 1;
}

void
timeline_walk_free(struct timeline_walk *w)
{
	free(w);
}

static void
add_frames(struct timeline *t, const struct timeline_model *m)
{
	int64_t last = m->end > m->until ? m->end : m->until, next;
	struct frame *f = t->frame;

	for (int64_t at = m->begin; at < last; at = next) {
		next = (day_of(at) + 1) * DAY;
		if (at < m->until && m->until < next)
			next = m->until;
		f->start = at;
		f->growth = m->growth[day_of(at) - day_of(m->begin)];
		f->quarter = week_quarter(at);
		f++;
		f->start = next;
	}
	t->frames = (int)(f - t->frame);
}

/* Share the n sessions of a frame among the classes. */
static void
split_frame(struct timeline *t, int f, uint64_t n)
{
	uint64_t *before = &t->count[(size_t)f * (size_t)t->classes];
	uint64_t all = classes_mass(t, f);

	for (int c = 0; c < t->classes; c++) {
		uint64_t mass = class_mass(t, f, c), of = share_of(mix_at(place_at(t, f, c).key, 0), n, mass, all);

		before[t->classes + c] = before[c] + of;
		n -= of;
		all -= mass;
	}
}

/* Sessions by frame and class. 0, or -1 with errno. */
static int
add_counts(struct timeline *t, uint64_t sessions)
{
	u128 all = 0, mass = 0, before;

	for (int f = 0; f < t->frames && t->frame[f].start < t->until; f++)
		all += (u128)t->frame[f].growth * classes_mass(t, f);
	if (all == 0) {
		errno = EDOM;
		return -1;
	}
	t->mass = all * (u128)QUARTER;
	for (int f = 0; f < t->frames; f++) {
		mass += (u128)t->frame[f].growth * classes_mass(t, f);
		before = sessions * mass / all;
		if (before > COUNT_MAX) {
			errno = ERANGE;
			return -1;
		}
		t->total[f + 1] = (uint64_t)before;
		split_frame(t, f, t->total[f + 1] - t->total[f]);
	}
	return 0;
}

static int
valid(const struct timeline_model *m)
{
	if (m->classes < 1 || m->classes > TIMELINE_CLASSES || m->sessions > SESSIONS_MAX)
		return 0;
	if (m->begin % QUARTER != 0 || m->until % QUARTER != 0 || m->end % QUARTER != 0)
		return 0;
	if (m->begin >= m->until || m->begin >= m->end)
		return 0;
	/* Unsigned, since the difference of two times may not fit. */
	if ((uint64_t)m->until - (uint64_t)m->begin >= SPAN_MAX || (uint64_t)m->end - (uint64_t)m->begin >= SPAN_MAX)
		return 0;
	for (int c = 0; c < m->classes; c++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			if (m->mass[c][q] > MASS_MAX)
				return 0;
	for (int64_t d = day_of((m->end > m->until ? m->end : m->until) - 1) - day_of(m->begin); d >= 0; d--)
		if (m->growth[d] < 1 || m->growth[d] > GROWTH_MAX)
			return 0;
	return 1;
}

struct timeline *
timeline_new(const struct timeline_model *m)
{
	struct timeline *t;
	size_t classes = (size_t)m->classes, rows;

	if (!valid(m)) {
		errno = EINVAL;
		return NULL;
	}
	if ((t = calloc(1, sizeof *t)) == NULL)
		return NULL;
	t->classes = m->classes;
	t->begin = m->begin;
	t->until = m->until;
	t->end = m->end;
	/* A frame a day, one more where `until` cuts a day, and a row behind the last. */
	rows = (size_t)(day_of(m->end > m->until ? m->end : m->until) - day_of(m->begin)) + 3;
	t->frame = calloc(rows, sizeof *t->frame);
	t->total = calloc(rows, sizeof *t->total);
	t->count = calloc(rows, classes * sizeof *t->count);
	t->week = calloc(classes, sizeof *t->week);
	if (t->frame == NULL || t->total == NULL || t->count == NULL || t->week == NULL)
		goto fail;
	for (size_t c = 0; c < classes; c++) {
		t->key[c] = mix_at(m->key, c + 1);
		for (int q = 0; q < TIMELINE_WEEK; q++)
			t->week[c][q + 1] = t->week[c][q] + m->mass[c][q];
	}
	add_frames(t, m);
	if (add_counts(t, m->sessions) == -1)
		goto fail;
	t->given = timeline_before(t, -1, t->end);
	return t;
fail:
	timeline_free(t);
	return NULL;
}

void
timeline_free(struct timeline *t)
{
	if (t == NULL)
		return;
	free(t->frame);
	free(t->total);
	free(t->count);
	free(t->week);
	free(t);
}
