#include <endian.h>
#include <string.h>

#include "mix.h"

/* Rounds of the two Feistel networks. */
#define ROUNDS48 4
#define ROUNDS12 6
#define ROUNDS10 6 /* of a network over two halves of the digits */

#define HALF24 0xffffffULL

/* The inverses of the two odd constants of mix(), modulo 2^64. */
#define UNDO1 0x96de1b173f119089ULL
#define UNDO2 0x319642b2d24d8ec3ULL

uint64_t
mix_undo(uint64_t x)
{
	/* x ^ x >> k is undone by adding the shifts by 2k, 4k, ... that are below 64. */
	x = (x ^ (x >> 31) ^ (x >> 62)) * UNDO2;
	x = (x ^ (x >> 27) ^ (x >> 54)) * UNDO1;
	return x ^ (x >> 30) ^ (x >> 60);
}

uint64_t
mix_name(const char *s, size_t n)
{
	uint64_t h = MIX_G /* not 0, which mix() keeps */, word = 0;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&word, s + i, 8);
		h = mix(h ^ le64toh(word));
	}
	if (i < n) {
		word = 0;
		memcpy(&word, s + i, n - i);
		h = mix(h ^ le64toh(word));
	}
	return mix(h ^ n);
}

struct mix_id
mix_id(uint64_t key)
{
	struct mix_id id;

	id.a = mix_at(key, 1);
	id.b = mix_at(key, 2);
	return id;
}

uint64_t
mix_seal(struct mix_id id, uint64_t x)
{
	return mix(mix(x ^ id.a) + id.b);
}

uint64_t
mix_open(struct mix_id id, uint64_t y)
{
	return mix_undo(mix_undo(y) - id.b) ^ id.a;
}

/* Round function of the 48-bit network: 24 bits to 24, another one each round. */
static uint64_t
round48(struct mix_id id, unsigned int r, uint64_t half)
{
	return mix_at((r & 1) != 0 ? id.b : id.a, (uint64_t)r << 24 | half) >> 40;
}

uint64_t
mix_seal48(struct mix_id id, uint64_t x)
{
	uint64_t left, right, t;
	unsigned int r;

	left = x >> 24 & HALF24;
	right = x & HALF24;
	for (r = 0; r < ROUNDS48; r++) {
		t = left ^ round48(id, r, right);
		left = right;
		right = t;
	}
	return left << 24 | right;
}

uint64_t
mix_open48(struct mix_id id, uint64_t y)
{
	uint64_t left, right, t;
	unsigned int r;

	left = y >> 24 & HALF24;
	right = y & HALF24;
	for (r = ROUNDS48; r-- > 0;) {
		t = right ^ round48(id, r, left);
		right = left;
		left = t;
	}
	return left << 24 | right;
}

/* Round function of the 12-bit network: 6 bits to 6, by a multiplication with a word of the key. */
static uint32_t
round12(uint64_t word, uint32_t half)
{
	return (uint32_t)((word * (2 * half + 1)) >> 58);
}

uint32_t
mix_seal12(uint64_t key, uint32_t x)
{
	uint32_t left, right, t;
	uint64_t word;
	unsigned int r;

	left = x >> 6 & 63;
	right = x & 63;
	word = mix_at(key, 1);
	for (r = 0; r < ROUNDS12; r++) {
		t = left ^ round12(word, right);
		left = right;
		right = t;
		word = word << 11 | word >> 53;
	}
	return left << 6 | right;
}

uint32_t
mix_open12(uint64_t key, uint32_t y)
{
	uint32_t left, right, t;
	uint64_t word;
	unsigned int r;

	left = y >> 6 & 63;
	right = y & 63;
	word = mix_at(key, 1);
	word = word << (11 * ROUNDS12 & 63) | word >> (64 - (11 * ROUNDS12 & 63));
	for (r = ROUNDS12; r-- > 0;) {
		word = word >> 11 | word << 53;
		t = right ^ round12(word, left);
		right = left;
		left = t;
	}
	return left << 6 | right;
}

uint64_t
mix_seal10(uint64_t key, int digits, uint64_t x)
{
	static const uint32_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000 };
	const uint64_t size[2] = { tens[(digits + 1) / 2], tens[digits / 2] };
	uint64_t half[2];
	unsigned int r;

	if (x >= size[0] * size[1])
		x %= size[0] * size[1];
	half[0] = x % size[0];
	half[1] = x / size[0];
	/* One digit has no second half to be mixed with: it is moved round. */
	for (r = 0; r < ROUNDS10; r++) {
		uint64_t word = mix_at(key, (uint64_t)r << 32 | half[~r & 1]), n = size[r & 1];

		half[r & 1] += mix_below((uint32_t)(word >> 32), (uint32_t)n);
		half[r & 1] -= half[r & 1] >= n ? n : 0;
	}
	return half[1] * size[0] + half[0];
}
