/* Keys and the texts behind them. */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "mix.h"

static struct entry *
place_of(const struct keys *s, uint64_t key)
{
	size_t at = mix(key) & (s->size - 1);

	while (s->entry[at].key != 0 && s->entry[at].key != key)
		at = (at + 1) & (s->size - 1);
	return &s->entry[at];
}

uint64_t *
keys_find(const struct keys *s, uint64_t key)
{
	struct entry *e;

	if (s->size == 0 || key == 0)
		return NULL;
	e = place_of(s, key);
	return e->key != 0 ? &e->value : NULL;
}

static int
grow(struct keys *s)
{
	struct keys larger = *s;

	larger.size = s->size > 0 ? s->size * 2 : 256;
	if ((larger.entry = calloc(larger.size, sizeof(*larger.entry))) == NULL)
		return -1;
	for (size_t i = 0; s->entry != NULL && i < s->size; i++)
		if (s->entry[i].key != 0)
			*place_of(&larger, s->entry[i].key) = s->entry[i];
	free(s->entry);
	*s = larger;
	return 0;
}

uint64_t *
keys_put(struct keys *s, uint64_t key, int *fresh)
{
	uint64_t *known = keys_find(s, key);
	struct entry *e;

	*fresh = known == NULL;
	if (known != NULL || key == 0)
		return known;
	if ((s->max > 0 && s->n >= s->max) || (s->n * 2 >= s->size && grow(s) == -1)) {
		s->full = 1;
		return NULL;
	}
	e = place_of(s, key);
	*e = (struct entry){ key, 0 };
	s->n++;
	return &e->value;
}

void
keys_free(struct keys *s)
{
	free(s->entry);
	*s = (struct keys){ 0 };
}

uint64_t
name_key(const char *text)
{
	uint64_t key = mix_name(text, strlen(text));

	return key != 0 ? key : 1;
}

uint64_t
value_key(struct json_value v)
{
	char text[CHECK_WORD];
	uint64_t key;
	int n;

	if (json_is_null(v))
		return 0;
	if (!json_is_string(v))
		key = mix_name(v.p, v.n);
	else if (memchr(v.p, '\\', v.n) == NULL)
		key = mix_name(v.p + 1, v.n - 2);
	else if ((n = json_text(v, text, sizeof(text))) >= 0)
		key = mix_name(text, (size_t)n);
	else
		key = mix(mix_name(v.p, v.n));
	return key != 0 ? key : 1;
}

const char *
show(struct json_value v, char buf[64])
{
	size_t n = v.p == NULL ? 0 : v.n;

	if (v.p == NULL)
		return "nothing";
	if (n > 60)
		for (n = 57; n > 0 && ((unsigned char)v.p[n] & 0xc0) == 0x80; n--)
			;
	memcpy(buf, v.p, n);
	memcpy(buf + n, n < v.n ? "..." : "", n < v.n ? 4 : 1);
	return buf;
}
