/* Hosts: their names, and which services share them. */
#include <stdint.h>
#include <string.h>

#include "catalog_impl.h"

#define HOST_MAX 1024 /* bytes of a name */

static const char *
value_of(const struct catalog *c, const struct catalog_piece *p, int service, int place)
{
	switch (p->src) {
	case SRC_PLACE_ID:
		return c->place[place].id;
	case SRC_PLACE_PART:
		return c->place[place].part[p->arg];
	case SRC_SERVICE_ID:
		return c->service[service].id;
	case SRC_SERVICE_PART:
		return c->service[service].part[p->arg];
	case SRC_SERVICE_NAME:
		return c->service[service].name;
	case SRC_SERVICE_GROUP:
		return c->service[service].group;
	default:
		return p->text; /* literal, or a constant */
	}
}

/* A number with zeros in front up to a width; how many digits. */
static size_t
put_number(char digits[32], int n, int width)
{
	char back[32];
	size_t len = 0;

	for (; n > 0 || len == 0; n /= 10)
		back[len++] = (char)('0' + n % 10);
	while (len < (size_t)width)
		back[len++] = '0';
	for (size_t i = 0; i < len; i++)
		digits[i] = back[len - 1 - i];
	digits[len] = '\0';
	return len;
}

int
catalog_host(const struct catalog *c, int service, int place, int n, char *buf, size_t size)
{
	const struct catalog_text *form = &c->service[service].host;
	size_t used = 0, len;
	char digits[32];

	for (int i = 0; i < form->n; i++) {
		const char *s = form->piece[i].src == SRC_N ? digits : value_of(c, &form->piece[i], service, place);

		len = form->piece[i].src == SRC_N ? put_number(digits, n, form->piece[i].width) : strlen(s);
		if (len >= size - used)
			return -1;
		memcpy(buf + used, s, len);
		used += len;
	}
	buf[used] = '\0';
	return (int)used;
}

int
catalog_hosts(const struct catalog *c, int pool)
{
	int n = 0;

	for (int s = 0; s < c->nservices; s++)
		if (c->service[s].pool == pool && c->service[s].hosts > n)
			n = c->service[s].hosts;
	return n;
}

void
catalog_find_pools(struct load *l)
{
	struct catalog *c = l->c;
	struct index names = { 0 };
	char name[HOST_MAX];
	int pool;

	catalog_index_init(l, &names, (size_t)c->nservices);
	for (int s = 0; s < c->nservices; s++) {
		if (catalog_host(c, s, 0, 1, name, sizeof(name)) == -1)
			catalog_fail_at(
			    l, T_SERVICES, catalog_nth_line(l, T_SERVICES, s), "host: names of more than %d bytes", HOST_MAX - 1);
		pool = catalog_index_add(&names, catalog_keep(l, name, strlen(name)), 0, s);
		c->service[s].pool = pool == -1 ? s : pool;
	}
}
