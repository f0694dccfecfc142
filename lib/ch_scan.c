/*
 * Most lines are plain, and that is found out sixteen bytes at a time; the others are looked at in full.
 * Which bytes stand between quotes follows from the positions of the quotes by a running exclusive or: Langdale and Lemire, Parsing
 * gigabytes of JSON per second, VLDB Journal 2019.
 */
#include <string.h>

#include "ch.h"

#ifdef __SSE2__
#include <emmintrin.h>

#define BLOCK 64

/* A bit for each byte of a block. */
struct marks {
	uint64_t quote, brace, delimiter, odd; /* brace: one of {}[]; odd: what makes a line less than plain */
};

static void
mark_object(__m128i c, int at, struct marks *m)
{
	const __m128i lower = _mm_or_si128(c, _mm_set1_epi8(0x20));
	const __m128i brace = _mm_or_si128(_mm_cmpeq_epi8(lower, _mm_set1_epi8('{')), _mm_cmpeq_epi8(lower, _mm_set1_epi8('}')));
	/* Control characters and, as they are negative, all that is not ASCII. */
	const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\\')), _mm_cmplt_epi8(c, _mm_set1_epi8(' ')));

	m->quote |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, _mm_set1_epi8('"'))) << at;
	m->brace |= (uint64_t)(unsigned)_mm_movemask_epi8(brace) << at;
	m->odd |= (uint64_t)(unsigned)_mm_movemask_epi8(odd) << at;
}

static void
mark_csv(__m128i c, __m128i delimiter, int at, struct marks *m)
{
	const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_setzero_si128()), _mm_cmpeq_epi8(c, _mm_set1_epi8('\r')));

	m->quote |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, _mm_set1_epi8('"'))) << at;
	m->delimiter |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, delimiter)) << at;
	m->odd |= (uint64_t)(unsigned)_mm_movemask_epi8(odd) << at;
}

/* Bit i: an odd number of quotes at or before byte i. */
static uint64_t
inside(uint64_t quote)
{
	for (int by = 1; by < BLOCK; by *= 2)
		quote ^= quote << by;
	return quote;
}

/* The next block, filled up with letters. */
static const char *
block_at(const char *line, size_t left, char room[BLOCK])
{
	if (left >= BLOCK)
		return line;
	memset(room, 'x', BLOCK);
	memcpy(room, line, left);
	return room;
}

int
ch_plain_object(const char *line, size_t len)
{
	uint64_t open = 0; /* all ones: the last block ended between quotes */
	int braces = 0;
	char room[BLOCK];

	if (len < 2 || line[0] != '{' || line[len - 1] != '}')
		return 0;
	for (size_t at = 0; at < len; at += BLOCK) {
		const char *from = block_at(line + at, len - at, room);
		struct marks m = { 0 };
		uint64_t in;

		for (int i = 0; i < BLOCK; i += 16)
			mark_object(_mm_loadu_si128((const __m128i *)(const void *)(from + i)), i, &m);
		in = inside(m.quote) ^ open;
		if (m.odd != 0)
			return 0;
		for (uint64_t outside = m.brace & ~in; outside != 0; outside &= outside - 1)
			if (++braces > 2)
				return 0;
		open = in >> (BLOCK - 1) ? UINT64_MAX : 0;
	}
	return open == 0 && braces == 2;
}

int
ch_plain_csv(const char *line, size_t len, char delimiter)
{
	const __m128i wanted = _mm_set1_epi8(delimiter);
	uint64_t open = 0, before = 1; /* before: a quote may begin a field in the first byte of the block */
	char room[BLOCK];

	if (len == 0)
		return 0;
	for (size_t at = 0; at < len; at += BLOCK) {
		const char *from = block_at(line + at, len - at, room);
		struct marks m = { 0 };
		uint64_t in, opening;

		for (int i = 0; i < BLOCK; i += 16)
			mark_csv(_mm_loadu_si128((const __m128i *)(const void *)(from + i)), wanted, i, &m);
		in = inside(m.quote) ^ open;
		opening = m.quote & in;
		/* A quote behind anything else than a delimiter or a quote means nothing to the server. */
		if (m.odd != 0 || (opening & ~((m.delimiter | m.quote) << 1 | before)) != 0)
			return 0;
		before = (m.delimiter | m.quote) >> (BLOCK - 1);
		open = in >> (BLOCK - 1) ? UINT64_MAX : 0;
	}
	return open == 0;
}

#else

int
ch_plain_object(const char *line, size_t len)
{
	(void)line;
	(void)len;
	return 0;
}

int
ch_plain_csv(const char *line, size_t len, char delimiter)
{
	(void)line;
	(void)len;
	(void)delimiter;
	return 0;
}

#endif
