/* Trees: who called whom, and what a failure did on its way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"

/* The call that a failure blames: there, failed, and in the same way. */
static void
check_upstream(struct check *c, int i)
{
	const struct span *x = &c->tree[i], *y = NULL;

	check_count(c, P_UPSTREAM);
	for (int k = i + 1; k < c->n && y == NULL; k++)
		if (c->tree[k].up == i && c->tree[k].request == x->upstream)
			y = &c->tree[k];
	if (y == NULL && c->torn)
		return;
	if (y == NULL)
		check_fault(c, P_UPSTREAM, x->line, "no call of this span has the upstream request's id");
	else if (!y->failed)
		check_fault(c, P_UPSTREAM, x->line, "the call in line %llu that is blamed has not failed", (unsigned long long)y->line);
	else if (y->code != x->code || y->type != x->type)
		check_fault(c, P_UPSTREAM, x->line, "the call in line %llu failed with another code or type", (unsigned long long)y->line);
	else if (y->cause != x->cause)
		check_fault(c, P_UPSTREAM, x->line, "the call in line %llu has another cause", (unsigned long long)y->line);
	else if (y->service != x->blamed && x->blamed >= 0)
		check_fault(c, P_UPSTREAM, x->line, "the call in line %llu is of another service", (unsigned long long)y->line);
}

void
tree_end(struct check *c)
{
	for (int i = 0; i < c->n; i++) {
		const struct span *x = &c->tree[i];

		if (i > 0 && x->failed && c->account[P_TRAVELS].applies) {
			check_count(c, P_TRAVELS);
			if (!c->tree[x->up].failed && names_calls(c, c->tree[x->up].service, x->service) == CALL_ANY)
				check_fault(c, P_TRAVELS, x->line, "a failure that its caller in line %llu knows nothing of",
				    (unsigned long long)c->tree[x->up].line);
		}
		/* Events are roots alone: their callees are not there. */
		if (x->source == BY_CALLEE && x->upstream != 0 && c->account[P_UPSTREAM].applies && c->n > 1)
			check_upstream(c, i);
	}
	/* But in the whole trees of other lines, they must be. */
	if (c->n == 1 && !c->torn && c->tree[0].source == BY_CALLEE && c->account[P_UPSTREAM].applies && c->single++ == 0)
		c->lonely = c->tree[0].line;
	if (c->n > 0) {
		c->ntrees++;
		real_tree(c);
	}
	c->n = 0;
}

static struct span *
add(struct check *c)
{
	if (c->n == c->maxtree) {
		int max = c->maxtree > 0 ? c->maxtree * 2 : 256;
		struct span *more = max > 2 * (SIM_SLOTS + 1) ? NULL : reallocarray(c->tree, (size_t)max, sizeof(*more));

		if (more == NULL)
			return NULL;
		c->tree = more;
		c->maxtree = max;
	}
	return &c->tree[c->n++];
}

/* Its caller, who stands above it. */
static void
join_parent(struct check *c, struct span *x)
{
	struct span *up;
	unsigned calls;

	check_count(c, P_PARENTS);
	for (x->up = c->n - 1; x->up >= 0; x->up--)
		if (c->tree[x->up].id == x->parent)
			break;
	if (x->up < 0) {
		char text[64];

		if (!c->torn)
			check_fault(c, P_PARENTS, c->line, "no span %s above it in its tree", show(role(c, R_PARENT), text));
		x->up = 0;
		return;
	}
	up = &c->tree[x->up];
	x->level = up->level + 1;
	calls = names_calls(c, up->service, x->service);
	if ((calls & CALL_ANY) == 0)
		check_fault(
		    c, P_NAMES, c->line, "no call from %.64s to %.64s", c->cat->service[up->service].id, c->cat->service[x->service].id);
	check_count(c, P_INSIDE);
	if (x->start < up->start)
		check_fault(c, P_INSIDE, c->line, "begins before its caller in line %llu", (unsigned long long)up->line);
	else if (x->end > up->end + c->slack && (calls & CALL_ASYNC) == 0 && !x->endless && !up->endless)
		check_fault(c, P_INSIDE, c->line, "ends after its caller in line %llu", (unsigned long long)up->line);
}

void
tree_join(struct check *c, struct span *x, uint64_t trace, int is_root)
{
	struct span *to;

	if (c->n == 0 || trace != c->trace || c->at[R_TRACE] < 0) {
		tree_end(c);
		c->trace = trace;
		c->torn = c->torn_next;
		check_count(c, P_TREES);
		ids_check(c, x, is_root);
		if (!is_root && !c->torn)
			check_fault(c, P_TREES, c->line, "a tree that does not begin with its root");
		c->torn |= !is_root;
	} else {
		ids_check(c, x, 0);
		if (is_root)
			check_fault(c, P_TREES, c->line, "a second root in one tree");
	}
	c->torn_next = 0;
	for (int i = 0; i < c->n; i++)
		if ((x->id != 0 && c->tree[i].id == x->id) || (x->request != 0 && c->tree[i].request == x->request)) {
			check_fault(c, P_IDS, c->line, "\"%s\" is that of line %llu",
			    c->field[c->at[c->tree[i].id == x->id ? R_SPAN : R_REQUEST]].name, (unsigned long long)c->tree[i].line);
			break;
		}
	if (!is_root && c->n > 0) {
		c->children++;
		join_parent(c, x);
		check_count(c, P_SHARED);
		if (x->user != c->tree[0].user || x->persona != c->tree[0].persona)
			check_fault(c, P_SHARED, c->line, "another user or persona than that of the root in line %llu",
			    (unsigned long long)c->tree[0].line);
	}
	if ((to = add(c)) == NULL) {
		if (c->n < SIM_SLOTS)
			c->failed = ENOMEM;
		check_fault(c, P_TREES, c->line, "a tree of more than %d spans", SIM_SLOTS);
		tree_end(c);
		return;
	}
	*to = *x;
}
