/* Who asks for what and when: sessions of the timeline, and the requests in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

#define RUNNING_MAX 2000000         /* sessions at once */
#define RING_MAX (16 * RUNNING_MAX) /* that started within half an hour: most last two minutes */
#define RECENT 16384
#define BLOCK 8 /* sessions that share 64 requests */
#define STRATA 4096
#define NOBODY 255
#define PAUSES ((SIM_POSITIONS - 7) * 28 * CLOCK_SECOND) /* us; no session lasts longer */
#define TRIES 32                                         /* candidates for a user, a level of popularity */

/* A session that runs. */
struct session {
	int64_t start, next; /* us; of the next request */
	uint64_t k;          /* name of the next request */
	uint64_t key;        /* of the session's draws */
	uint64_t first;      /* number of its first request within its class */
	uint64_t user;       /* index within the persona */
	uint64_t id;         /* of the user */
	uint16_t persona, place;
	uint8_t length;
	uint8_t early, late; /* positions of the actions that trade places with the first and the last; NOBODY: none */
};

struct settled {
	int64_t start;
	int class;
};

struct sim_traffic {
	struct sim *s;
	struct timeline_walk *walk;
	int64_t from, to;
	struct timeline_session ahead;
	int more;
	struct session *heap; /* 4-ary, by (next, k) */
	size_t n, size;
	/* Sessions of the last half hour, and how many of each class started before that: theirs are the things that surely exist. */
	struct settled *ring;
	size_t ring_n, ring_at, ring_size;
	uint64_t settled[TIMELINE_CLASSES];
};

struct seeker {
	struct sim *s;
	const struct sim_class *class;
	uint64_t key;
	int persona;
	int quarter;
	int64_t time;
};

static int
user_home(const struct sim *s, int persona, uint64_t user)
{
	return (int)dist_pick(&s->persona_home[persona], mix_at(s->persona_key[persona] + user * 2, 1));
}

/* Every eighth user was there before the world began, so that there is always somebody. */
static int
has_joined(const struct sim *s, int persona, uint64_t user, int64_t t)
{
	uint64_t word = mix_at(s->persona_key[persona] + user * 2, 2);
	double days;

	if (user % 8 == 0 || (uint32_t)word < sim_bits((s->c->set.founders - 0.125) / 0.875))
		return 1;
	days = (double)(word >> 32) * 0x1p-32 * s->c->set.join_days;
	return s->w->begin + (int64_t)(days * (double)CLOCK_DAY) <= t;
}

static int
is_user_ok(uint64_t user, void *arg)
{
	const struct seeker *k = arg;
	uint32_t chance = k->class->home_ok[k->quarter * k->s->nhomes + user_home(k->s, k->persona, user)];

	return (mix_at(k->key, 1000 + user) >> 48) <= chance && has_joined(k->s, k->persona, user, k->time);
}

/* Class-wide ordinal, as ids and blocks see it: sessions after `until` begin a new block. */
static uint64_t
ordinal_of(const struct sim *s, int class, uint64_t raw)
{
	return raw < s->full[class] ? raw : raw + (BLOCK - s->full[class] % BLOCK) % BLOCK;
}

/*
 * How many requests a session has, and which they are within its class. A block of eight sessions shares 64 requests at seven keyed cuts;
 * an unfinished last block has eight each; the last session before `until` takes what rounding to sessions left.
 */
static int
session_span(const struct sim *s, int class, uint64_t ordinal, uint64_t *first)
{
	uint64_t block = ordinal / BLOCK, key = mix_at(s->d[SIM_D_BLOCK] ^ (uint64_t) class << 58, block), cuts = 0;
	int j = (int)(ordinal % BLOCK), from, to;

	if (ordinal < s->full[class] && (block + 1) * BLOCK > s->full[class]) {
		*first = ordinal * BLOCK;
		if (class == s->last_class && ordinal == s->full[class] - 1)
			return (int)(s->requests - (s->sessions - 1) * BLOCK);
		return BLOCK;
	}
	if (s->full[class] % BLOCK == 0 && class == s->last_class && (block + 1) * BLOCK == s->full[class] && s->requests % BLOCK != 0) {
		*first = ordinal * BLOCK;
		return j == BLOCK - 1 ? (int)(s->requests % BLOCK) : BLOCK;
	}
	/* Seven distinct cuts among 1..63, as a bit set. */
	for (uint64_t i = 0; __builtin_popcountll(cuts) < BLOCK - 1; i++) {
		uint64_t word = mix_at(key, i);

		for (int b = 0; b < 10 && __builtin_popcountll(cuts) < BLOCK - 1; b++, word >>= 6)
			cuts |= (word & 63) != 0 ? 1ULL << (word & 63) : 0;
	}
	cuts |= 1;
	for (int i = 0; i < j; i++)
		cuts &= cuts - 1;
	from = __builtin_ctzll(cuts);
	cuts &= cuts - 1;
	to = cuts != 0 ? __builtin_ctzll(cuts) : 64;
	*first = block * 64 + (uint64_t)from;
	return to - from;
}

/* Root operation of the g-th request of a class: strata of 4096 in keyed order, so that what creates a thing can be found again. */
static int
action_at(const struct sim *s, int class, uint64_t g)
{
	const struct sim_class *c = &s->class[class];
	uint64_t key = mix_at(s->d[SIM_D_ACTION] ^ (uint64_t) class << 58, g / STRATA);
	uint32_t stratum = mix_seal12(key, (uint32_t)(g % STRATA)), x;
	int op = c->guide[stratum];

	x = stratum << 20 | (uint32_t)(mix_at(key, 1 + g % STRATA) >> 44);
	while (op < s->nroots - 1 && x >= c->cum[op])
		op++;
	return op;
}

/* An action that may stand anywhere in a session, for a second one of a kind that may not. */
static int
plain_action(const struct sim *s, int class, uint64_t key, int op)
{
	for (uint64_t i = 0; i < 16 && s->role[s->root[op]] != 0; i++) {
		uint32_t x = (uint32_t)mix_at(key, i);

		op = s->class[class].guide[x >> 20];
		while (op < s->nroots - 1 && x >= s->class[class].cum[op])
			op++;
	}
	return op;
}

/* What must come first or last in the session trades places with what is there; returns whether its user comes only once. */
static int
arrange(const struct sim *s, struct session *x, int class)
{
	int early = -1, late = -1, once = 0;

	x->early = 0;
	x->late = NOBODY;
	if (!s->has_roles)
		return 0;
	for (int p = 0; p < x->length; p++) {
		int role = s->role[s->root[action_at(s, class, x->first + (uint64_t)p)]];

		if ((role & ROLE_FIRST) && early < 0)
			early = p;
		if ((role & ROLE_LAST) && late < 0) {
			late = p;
			once = (role & ROLE_ONCE) != 0;
		}
	}
	x->early = (uint8_t)(early > 0 ? early : 0);
	x->late = (uint8_t)(late >= 0 ? late : NOBODY);
	return once;
}

/* The action at position p, after the trades; *g: its number within the class, before them. */
static int
session_action(const struct sim *s, const struct session *x, int class, int p, uint64_t *g)
{
	int last = x->length - 1, late = x->late, q = p, op, role;

	if (late != NOBODY) {
		late = late == 0 ? x->early : late == x->early ? 0 : late; /* where the first trade left it */
		q = p == last ? late : p == late ? last : p;
	}
	q = q == 0 ? x->early : q == x->early ? 0 : q;
	*g = x->first + (uint64_t)q;
	op = action_at(s, class, *g);
	role = s->role[s->root[op]];
	if (((role & ROLE_FIRST) && p != 0) || ((role & ROLE_LAST) && p != last))
		op = plain_action(s, class, mix_at(x->key, 100 + (uint64_t)p), op);
	return op;
}

static int
is_pressed(const struct sim *s, int64_t start)
{
	return start < s->until && start + PAUSES > s->until;
}

/*
 * When a session's user is chosen: the beginning of the quarter hour it starts in; of those that are pressed together, one for all. So the
 * start need not be known to the microsecond to find the user again.
 */
static int64_t
session_quarter(const struct sim *s, int64_t start)
{
	if (is_pressed(s, start))
		start = s->until - PAUSES;
	return start - ((start % (15 * CLOCK_MINUTE)) + 15 * CLOCK_MINUTE) % (15 * CLOCK_MINUTE);
}

/* What a session's name decides. */
static void
session_name(const struct sim *s, struct session *x, int class, uint64_t ordinal)
{
	*x = (struct session){ .k = (uint64_t) class << 42 | ordinal << 6 };
	x->start = x->next = INT64_MIN;
	x->key = mix(s->d[SIM_D_SESSION] ^ x->k);
	x->length = (uint8_t)session_span(s, class, ordinal, &x->first);
}

/* Everything about a session that its name and start decide. */
static void
session_open(struct sim *s, struct session *x, int class, uint64_t ordinal, int64_t start)
{
	int64_t when = session_quarter(s, start);
	struct seeker k = { s, &s->class[class], 0, 0, sim_quarter(when < 0 ? 0 : when), when };
	uint64_t user, n;
	int once;

	session_name(s, x, class, ordinal);
	x->start = x->next = start;
	k.key = x->key;
	once = arrange(s, x, class);
	k.persona = k.class->persona[dist_pick(&k.class->who, mix_at(x->key, 0))];
	for (int i = 1; i < s->c->npersonas && s->users[k.persona] == 0; i++) /* few users: somebody else's turn */
		k.persona = (k.persona + 1) % s->c->npersonas;
	n = s->users[k.persona];
	if (once) {
		user = 1ULL << 31 | (mix_at(x->key, 3) >> 33);
	} else {
		user = dist_zipf_pick(&s->user_zipf, mix_at(x->key, 1), n, TRIES, is_user_ok, &k);
		if (user >= n)
			user = 8 * dist_zipf_pick(&s->user_zipf, mix_at(x->key, 2), (n + 7) / 8, TRIES, NULL, NULL);
	}
	x->user = user;
	x->persona = (uint16_t)k.persona;
	x->id = mix_seal48(s->id_user, (uint64_t)x->persona << 32 | user);
	x->place = (uint16_t)s->home[user_home(s, k.persona, user)].place;
}

static int64_t
session_pause(const struct sim *s, const struct session *x, int p)
{
	return (int64_t)dist_draw(&s->gap, (uint32_t)mix_at(x->key, 200 + (uint64_t)p));
}

/* Pauses up to position p. */
static int64_t
session_offset(const struct sim *s, const struct session *x, int p)
{
	int64_t sum = 0;

	for (int i = 1; i <= p; i++)
		sum += session_pause(s, x, i);
	return sum;
}

/* The same for a session that is remembered: x->k is the request met last, and x->next the pauses up to it. */
static int64_t
recent_offset(const struct sim *s, struct session *x, int p)
{
	int at = (int)(x->k & 63);

	if (at > p) {
		at = 0;
		x->next = 0;
	}
	while (at < p)
		x->next += session_pause(s, x, ++at);
	x->k = x->k >> 6 << 6 | (uint64_t)p;
	return x->next;
}

/* To the next request, if there is one. Sessions near `until` are pressed together, so that none goes beyond. */
static int
session_step(const struct sim *s, struct session *x)
{
	int p = (int)(x->k & 63) + 1;

	if (p >= x->length)
		return 0;
	if (is_pressed(s, x->start))
		x->next = x->start + (int64_t)((wide)session_offset(s, x, p) * (s->until - x->start - 1) / PAUSES);
	else
		x->next += session_pause(s, x, p);
	x->k++;
	return 1;
}

static int
is_before(const struct session *a, const struct session *b)
{
	return a->next != b->next ? a->next < b->next : a->k < b->k;
}

static void
sift_down(struct sim_traffic *t, size_t at)
{
	struct session x = t->heap[at];

	for (;;) {
		size_t first = at * 4 + 1, best = first;

		if (first >= t->n)
			break;
		for (size_t i = first + 1; i < first + 4 && i < t->n; i++)
			if (is_before(&t->heap[i], &t->heap[best]))
				best = i;
		if (!is_before(&t->heap[best], &x))
			break;
		t->heap[at] = t->heap[best];
		at = best;
	}
	t->heap[at] = x;
}

static int
push(struct sim_traffic *t, const struct session *x)
{
	size_t at = t->n;

	if (t->n == t->size) {
		struct session *more;

		if (t->n >= RUNNING_MAX) {
			errno = EFBIG;
			return -1;
		}
		more = reallocarray(t->heap, t->size * 2 + 64, sizeof(*more));
		if (more == NULL)
			return -1;
		t->heap = more;
		t->size = t->size * 2 + 64;
	}
	t->n++;
	while (at > 0 && is_before(x, &t->heap[(at - 1) / 4])) {
		t->heap[at] = t->heap[(at - 1) / 4];
		at = (at - 1) / 4;
	}
	t->heap[at] = *x;
	return 0;
}

static void
pop(struct sim_traffic *t)
{
	t->heap[0] = t->heap[--t->n];
	if (t->n > 0)
		sift_down(t, 0);
}

static int
settle_later(struct sim_traffic *t, const struct timeline_session *x)
{
	if (t->ring_n == RING_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (t->ring_n == t->ring_size) {
		size_t size = t->ring_size * 2 + 1024;
		struct settled *more = reallocarray(NULL, size, sizeof(*more));

		if (more == NULL)
			return -1;
		for (size_t i = 0; i < t->ring_n; i++)
			more[i] = t->ring[(t->ring_at + i) % t->ring_size];
		free(t->ring);
		t->ring = more;
		t->ring_at = 0;
		t->ring_size = size;
	}
	t->ring[(t->ring_at + t->ring_n++) % t->ring_size] = (struct settled){ x->start, x->class };
	return 0;
}

static void
settle(struct sim_traffic *t, int64_t now)
{
	while (t->ring_n > 0 && t->ring[t->ring_at].start < now - SIM_SESSION_MAX) {
		t->settled[t->ring[t->ring_at].class]++;
		t->ring_at = t->ring_at + 1 == t->ring_size ? 0 : t->ring_at + 1;
		t->ring_n--;
	}
}

/* Take in the session ahead, and look for the next. */
static int
take_session(struct sim_traffic *t)
{
	struct sim *s = t->s;
	struct session x;
	int in = 1;

	if (settle_later(t, &t->ahead) != 0)
		return -1;
	if (t->ahead.start >= t->from - SIM_SESSION_MAX) {
		session_open(s, &x, t->ahead.class, ordinal_of(s, t->ahead.class, t->ahead.ordinal), t->ahead.start);
		while (in && x.next < t->from)
			in = session_step(s, &x);
		if (in && push(t, &x) != 0)
			return -1;
	}
	t->more = timeline_next(t->walk, &t->ahead);
	return 0;
}

struct sim_traffic *
sim_traffic(struct sim *s, int64_t from, int64_t to)
{
	struct sim_traffic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->s = s;
	t->from = from < s->w->begin ? s->w->begin : from;
	t->to = to > s->w->end ? s->w->end : to;
	if (timeline_before(s->timeline, -1, t->from) - timeline_before(s->timeline, -1, t->from - 2 * SIM_SESSION_MAX) > RING_MAX) {
		sim_traffic_free(t);
		errno = EFBIG;
		return NULL;
	}
	t->walk = timeline_walk(s->timeline, t->from - 2 * SIM_SESSION_MAX);
	if (t->walk == NULL) {
		sim_traffic_free(t);
		return NULL;
	}
	for (int k = 0; k < s->nclasses; k++)
		t->settled[k] = timeline_before(s->timeline, k, t->from - 2 * SIM_SESSION_MAX);
	t->more = timeline_next(t->walk, &t->ahead);
	return t;
}

void
sim_traffic_free(struct sim_traffic *t)
{
	if (t == NULL)
		return;
	timeline_walk_free(t->walk);
	free(t->heap);
	free(t->ring);
	free(t);
}

int64_t
sim_shard(const struct sim *s, int64_t from, int64_t to, uint64_t k, uint64_t n)
{
	uint64_t first, all;
	int64_t at;

	if (k == 0 || k >= n)
		return k == 0 ? from : to;
	first = timeline_before(s->timeline, -1, from);
	all = timeline_before(s->timeline, -1, to) - first;
	at = timeline_at_rank(s->timeline, first + (uint64_t)((uwide)all * k / n));
	return at < to ? at : to;
}

struct follower {
	const struct sim *s;
	int persona;
	uint64_t self;
	int self_persona;
	int64_t time;
};

static int
is_target_ok(uint64_t user, void *arg)
{
	const struct follower *f = arg;

	return (user != f->self || f->persona != f->self_persona) && has_joined(f->s, f->persona, user, f->time);
}

/* Some user by popularity; -1 when there is nobody. */
static int
popular_user(const struct sim *s, uint64_t key, struct follower *f, uint64_t *user)
{
	uint64_t n;

	f->persona = (int)dist_pick(&s->popular, mix_at(key, 0));
	n = s->users[f->persona];
	if (n == 0)
		return -1;
	*user = dist_zipf_pick(&s->follow_zipf, mix_at(key, 1), n, TRIES, is_target_ok, f);
	return *user < n ? 0 : -1;
}

/*
 * Somebody the user follows, mostly; else somebody popular. The people he follows are a function of who he is: between 5 and 500 of them,
 * more for active people, popular ones often.
 */
static void
draw_target(const struct sim *s, const struct session *x, struct sim_request *r)
{
	uint64_t self = mix(s->d[SIM_D_FOLLOW] ^ ((uint64_t)x->persona << 32 | x->user)), word = mix_at(r->key, DRAW_TARGET);
	double z = dist_normal(self), many = 50 + 30 * z;
	uint32_t degree = many < 5 ? 5 : many > 500 ? 500 : (uint32_t)many;
	struct follower f = { s, 0, x->user, x->persona, r->time };
	uint64_t user;

	for (uint64_t i = 0; i < 3; i++, word = mix(word)) {
		uint64_t key = (uint32_t)word < 0xb0000000U ? mix_at(self, 1 + mix_below((uint32_t)(word >> 32), degree)) : mix(word);

		if (popular_user(s, key, &f, &user) == 0) {
			r->has_target = 1;
			r->target = mix_seal48(s->id_user, (uint64_t)f.persona << 32 | user);
			return;
		}
	}
}

/* The j-th creation of a type in a class: the request that made it, or -1 when it may not have happened yet. */
static int
creation(const struct sim_traffic *t, int class, int type, uint64_t j, uint64_t *g)
{
	const struct sim *s = t->s;
	const struct sim_class *c = &s->class[class];
	uint64_t block = j / (uint64_t)c->nmade[type], key = mix_at(s->d[SIM_D_ACTION] ^ (uint64_t) class << 58, block);

	*g = block * STRATA + mix_open12(key, c->made[type][j % (uint64_t)c->nmade[type]]);
	return *g < t->settled[class] / BLOCK * 64 ? 0 : -1;
}

/* Level k by weight 2^(k (exponent - 1)), of the lowest `levels`. */
static int
object_level(const struct sim *s, uint32_t word, int levels)
{
	double at = (double)word * 0x1p-32 * s->object_weight[levels];
	int k = 0;

	while (k < levels - 1 && at >= s->object_weight[k + 1])
		k++;
	return k;
}

/*
 * A thing made before, by popularity. At each level of size 2^k things stand in blocks, and each block has one that everybody names who
 * comes to it; so some are named again and again, most hardly ever, and new ones get their share.
 */
static int
popular_object(const struct sim_traffic *t, int type, uint64_t key, uint64_t *value)
{
	const struct sim *s = t->s;
	int class = (int)dist_pick(&s->maker[type], mix_at(key, 0)), levels;
	uint64_t made = (uint64_t)s->class[class].nmade[type], n = (t->settled[class] / BLOCK * 64 / STRATA + 1) * made, g;

	levels = 64 - __builtin_clzll(n);
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t word = mix_at(key, 1 + i);
		int level = object_level(s, (uint32_t)word, levels);
		uint64_t back = (uint64_t)__builtin_ctzll(word >> 32 | 1ULL << 31), block = (n - 1) >> level, j;

		block -= back < block ? back : block;
		j = (block << level) +
		    (mix_at(s->d[SIM_D_OBJECT] ^ (uint64_t)type << 48 ^ (uint64_t) class << 32 ^ (uint64_t)level, block) &
			((1ULL << level) - 1));
		if (j < n && creation(t, class, type, j, &g) == 0) {
			*value = (uint64_t) class << 42 | g;
			return 0;
		}
	}
	return -1;
}

/*
 * What a request is about: a new thing, whose name is the request's; one of the user's own that nobody else ever names, likewise; or one
 * that was made before, and where that is not to be found one of those from before the world, by popularity too.
 */
static void
draw_object(const struct sim_traffic *t, const struct catalog_op *o, uint64_t g, struct sim_request *r)
{
	const struct sim *s = t->s;
	uint64_t key = mix_at(r->key, DRAW_OBJECT), value = (uint64_t)r->class << 42 | g;

	if (o->object == OBJECT_USE && (s->maker[o->type].n == 0 || popular_object(t, o->type, key, &value) != 0))
		value = (uint64_t)SIM_CLASS_EVENT << 42 | (mix_at(key, 20) >> (34 + mix_below((uint32_t)mix_at(key, 21), 18)));
	r->has_object = 1;
	r->object = value;
	r->object_key = key;
}

/* A request of a session, all but its time. */
static int
session_request(const struct sim *s, const struct session *x, uint64_t k, struct sim_request *r, uint64_t *g)
{
	int op;

	memset(r, 0, offsetof(struct sim_request, span));
	r->k = k;
	r->key = mix((k * MIX_G) ^ s->d[SIM_D_REQUEST]);
	r->class = (int)(k >> 42);
	r->persona = x->persona;
	r->place = x->place;
	r->user = x->id;
	r->number = x->first + (k & 63);
	op = session_action(s, x, r->class, (int)(k & 63), g);
	r->plan = &s->plan[op];
	return s->root[op];
}

int
sim_next(struct sim_traffic *t, struct sim_request *r)
{
	struct sim *s = t->s;
	struct session *x;
	const struct catalog_op *o;
	uint64_t g;

	while (t->more && (t->n == 0 || t->ahead.start <= t->heap[0].next) && t->ahead.start < t->to)
		if (take_session(t) != 0)
			return -1;
	if (t->n == 0 || t->heap[0].next >= t->to)
		return 0;
	x = &t->heap[0];
	settle(t, x->next);
	o = &s->c->op[session_request(s, x, x->k, r, &g)];
	r->time = x->next;
	if (o->target)
		draw_target(s, x, r);
	if (o->type >= 0)
		draw_object(t, o, g, r);
	if (session_step(s, x))
		sift_down(t, 0);
	else
		pop(t);
	sim_root(s, r);
	return 1;
}

int
sim_request(struct sim *s, uint64_t k, int64_t time, struct sim_request *r)
{
	int class = (int)(k >> 42), p = (int)(k & 63);
	uint64_t g, ordinal = k >> 6 & ((1ULL << 36) - 1);
	struct session *x;
	int64_t start, offset;

	if (class >= s->nclasses)
		return -1;
	if (s->recent == NULL) {
		/* Each in a cache line of its own. */
		s->recent = aligned_alloc(64, RECENT * sizeof(struct session));
		if (s->recent == NULL)
			return -1;
		memset(s->recent, 0, RECENT * sizeof(struct session));
	}
	x = s->recent + mix(k >> 6) % RECENT;
	if (x->length == 0 || x->k >> 6 != k >> 6) {
		session_name(s, x, class, ordinal);
		x->next = 0;
	}
	if (p >= x->length)
		return -1;
	offset = recent_offset(s, x, p);
	start = time - offset;
	/* Somebody may have changed the times of other requests of the session: they decide nothing here. */
	if (x->start != session_quarter(s, start)) {
		session_open(s, x, class, ordinal, start);
		x->start = session_quarter(s, start);
		x->next = offset;
		x->k = k;
	}
	session_request(s, x, k, r, &g);
	r->time = time;
	return 0;
}

#define OTHERS 1000 /* sessions among which another request is looked for */

int
sim_other(struct sim *s, const struct sim_request *r, int64_t from, int64_t to, struct sim_request *other)
{
	struct timeline_walk *walk = timeline_walk(s->timeline, from);
	struct timeline_session ahead;
	struct session x;
	uint64_t g;
	int found = 0;

	for (int i = 0; walk != NULL && !found && i < OTHERS && timeline_next(walk, &ahead) == 1 && ahead.start < to; i++) {
		session_open(s, &x, ahead.class, ordinal_of(s, ahead.class, ahead.ordinal), ahead.start);
		if (x.place != r->place || (x.persona == r->persona && x.id == r->user))
			continue;
		session_request(s, &x, x.k, other, &g);
		other->time = x.next;
		sim_root(s, other);
		found = !other->dropped;
	}
	timeline_walk_free(walk);
	return found ? 0 : -1;
}
