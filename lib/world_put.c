#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "out.h"
#include "world.h"

static void
put_key(struct out *o, const char *key)
{
	out_put(o, ",\"", 2);
	out_put(o, key, strlen(key));
	out_put(o, "\":", 2);
}

static void
put_quoted(struct out *o, const char *text)
{
	size_t n = strlen(text);
	char *to = out_room(o, JSON_QUOTED(n));

	out_took(o, json_quote(to, text, n));
}

void
world_put_kind(struct out *o, const char *kind)
{
	out_put(o, "{\"kind\":\"", 9);
	out_put(o, kind, strlen(kind));
	out_put(o, "\"", 1);
}

void
world_put_text(struct out *o, const char *key, const char *text)
{
	put_key(o, key);
	put_quoted(o, text);
}

void
world_put_time(struct out *o, const char *key, int64_t us)
{
	char text[CLOCK_LEN + 1];

	(void)clock_text(text, us);
	world_put_text(o, key, text);
}

static void
put_digits(struct out *o, uint64_t x)
{
	char text[20], *p = text + sizeof(text);

	do
		*--p = (char)('0' + x % 10);
	while ((x /= 10) > 0);
	out_put(o, p, (size_t)(text + sizeof(text) - p));
}

void
world_put_whole(struct out *o, const char *key, uint64_t x)
{
	put_key(o, key);
	put_digits(o, x);
}

void
world_put_number(struct out *o, const char *key, double value, int places)
{
	uint64_t unit = 1, scaled;
	char text[20];
	int n = places;

	for (int i = 0; i < places; i++)
		unit *= 10;
	put_key(o, key);
	if (value < 0)
		out_put(o, "-", 1);
	scaled = (uint64_t)((value < 0 ? -value : value) * (double)unit + 0.5);
	put_digits(o, scaled / unit);
	scaled %= unit;
	for (int i = places; i-- > 0; scaled /= 10)
		text[i] = (char)('0' + scaled % 10);
	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0) {
		out_put(o, ".", 1);
		out_put(o, text, (size_t)n);
	}
}

static void
put_element(struct out *o, int *n, const char *text)
{
	out_put(o, ",", (*n)++ > 0);
	put_quoted(o, text);
}

void
world_put_list(struct out *o, const char *key, const char *const *text, int n)
{
	int k = 0;

	put_key(o, key);
	out_put(o, "[", 1);
	while (k < n)
		put_element(o, &k, text[k]);
	out_put(o, "]", 1);
}

void
world_put_services(struct out *o, const char *key, const struct catalog *c, const char *covered)
{
	int n = 0;

	put_key(o, key);
	out_put(o, "[", 1);
	for (int s = 0; s < c->nservices; s++)
		if (covered[s])
			put_element(o, &n, c->service[s].id);
	out_put(o, "]", 1);
}

void
world_put_end(struct out *o)
{
	out_put(o, "}\n", 2);
}

int
world_header(char *buf, size_t size, const struct world *w)
{
	/* Never flushed: the room is all there is. */
	size_t most = JSON_QUOTED(strlen(w->cat.name)) + JSON_QUOTED(strlen(w->cat.set.level)) + 512;
	struct out o = { .fd = -1, .buf = malloc(most), .size = most };
	char digest[17];
	int n = -1;

	if (o.buf == NULL)
		return -1;
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)w->cat.digest);
	world_put_kind(&o, "world");
	world_put_whole(&o, "format", WORLD_FORMAT);
	world_put_text(&o, "catalog", w->cat.name);
	world_put_text(&o, "catalog_digest", digest);
	world_put_whole(&o, "seed", w->seed);
	world_put_time(&o, "begin", w->begin);
	world_put_time(&o, "end", w->end);
	world_put_whole(&o, "users", w->users);
	world_put_whole(&o, "requests", w->requests);
	world_put_time(&o, "requests_until", w->until);
	world_put_whole(&o, "depth", (uint64_t)w->depth);
	world_put_text(&o, "level", w->cat.set.level);
	world_put_end(&o);
	if (o.len < size) {
		memcpy(buf, o.buf, o.len);
		buf[o.len] = '\0';
		n = (int)o.len;
	}
	free(o.buf);
	return n;
}
