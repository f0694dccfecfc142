/* lib/mix: published words, inverses, permutations, and that flipped bits and neighbours lose each other. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mix.h"
#include "tap.h"

#define MASK48 0xffffffffffffULL

/* How far a chi-square of that many free cells is from what chance gives, in standard deviations. */
static double
surprise(double chi, double cells)
{
	return (chi - cells) / sqrt(2 * cells);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static int
all_differ(uint64_t *v, size_t n)
{
	size_t i;

	qsort(v, n, sizeof(*v), by_value);
	for (i = 1; i < n; i++) {
		if (v[i] == v[i - 1])
			return 0;
	}
	return 1;
}

static void
test_words(struct tap *t)
{
	static const uint64_t published[5] = { 6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
		4593380528125082431ULL, 16408922859458223821ULL };
	uint64_t i, x;
	uint32_t n;
	int good;

	good = 1;
	for (i = 0; i < 5; i++)
		good &= mix_at(1234567, i + 1) == published[i];
	tap(t, good, "mix_at gives the sequence of SplitMix64 for seed 1234567");
	good = mix_undo(mix(UINT64_MAX)) == UINT64_MAX;
	for (i = 0; i < 1000000; i++) {
		x = i < 64 ? 1ULL << i : i < 5000 ? i : mix_at(1, i);
		good &= mix_undo(mix(x)) == x && mix(mix_undo(x)) == x;
	}
	tap(t, good, "mix_undo is the inverse of mix");
	good = mix_below(0, 1) == 0 && mix_below(UINT32_MAX, 1) == 0 && mix_below(UINT32_MAX, UINT32_MAX) == UINT32_MAX - 1;
	for (n = 1; n < 2000; n++)
		good &= mix_below(0, n) == 0 && mix_below(UINT32_MAX, n) == n - 1 && mix_below(1u << 31, n) == n / 2;
	tap(t, good, "mix_below stays below n and reaches both ends");
}

/* The fold as the header words it, a byte at a time from the end. */
static uint64_t
name_again(const char *s, size_t n)
{
	uint64_t h, word;
	size_t i, j;

	h = MIX_G;
	for (i = 0; i < n; i += 8) {
		word = 0;
		for (j = i + 8 < n ? i + 8 : n; j-- > i;)
			word = word * 256 + (unsigned char)s[j];
		h = mix(h ^ word);
	}
	return mix(h ^ n);
}

static void
test_names(struct tap *t)
{
	static uint64_t seen[65536 + 256 + 40];
	char buf[80], two[2];
	size_t i, n, k;
	int good;

	good = 1;
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (char)mix_at(5, i);
	for (i = 0; i < 8; i++) {
		for (n = 0; n < 64; n++)
			good &= mix_name(buf + i, n) == name_again(buf + i, n);
	}
	tap(t, good, "mix_name folds little-endian words at any address, the length last");
	k = 0;
	for (i = 0; i < 65536; i++) {
		two[0] = (char)(i & 255);
		two[1] = (char)(i >> 8);
		seen[k++] = mix_name(two, 2);
		if (i < 256)
			seen[k++] = mix_name(two, 1);
	}
	memset(buf, 0, sizeof(buf));
	for (n = 3; n < 43; n++)
		seen[k++] = mix_name(buf, n);
	tap(t, all_differ(seen, k), "names of one and two bytes, and zeros of any length, have keys of their own");
	tap(t, mix_name("", 0) != 0 && mix_name("", 0) != mix_name("", 1), "the empty name has a key");
}

static void
test_seals(struct tap *t)
{
	static uint64_t seen[1 << 18];
	struct mix_id id, other;
	uint64_t i, x, y;
	int good, good48, equal;

	good = 1;
	good48 = 1;
	equal = 0;
	for (i = 0; i < 300000; i++) {
		id = mix_id(i);
		other = mix_id(i + 1);
		x = i < 1000 ? i : mix_at(2, i);
		y = mix_seal(id, x);
		good &= mix_open(id, y) == x && mix_seal(id, mix_open(id, x)) == x;
		equal += mix_seal(other, x) == y;
		x &= MASK48;
		y = mix_seal48(id, x);
		good48 &= y <= MASK48 && mix_open48(id, y) == x && mix_seal48(id, mix_open48(id, x)) == x;
		equal += mix_seal48(other, x) == y;
	}
	tap(t, good, "mix_open is the inverse of mix_seal, for any key");
	tap(t, good48, "mix_open48 is the inverse of mix_seal48, which stays below 2^48");
	tap(t, equal == 0, "another key gives another number");
	id = mix_id(99);
	for (i = 0; i < 1 << 18; i++)
		seen[i] = mix_seal48(id, i);
	tap(t, all_differ(seen, 1 << 18), "2^18 neighbours have 2^18 sealed numbers of 48 bits");
	/* Upper halves of a random permutation: about 2^18 - 2^11 of 2^18 words of 24 bits differ; a counter in them would show. */
	good = 0;
	for (i = 1; i < 1 << 18; i++)
		good += seen[i] >> 24 == seen[i - 1] >> 24;
	tap(t, good > 1800 && good < 2300, "their upper halves meet as often as chance has it (%d)", good);
}

/* Largest deviation from 1/2 of "input bit i turns output bit j over", in standard deviations, over all i and j. */
static double
avalanche(uint64_t (*f)(uint64_t key, uint64_t x), int bits, int samples)
{
	int count[64][64] = { { 0 } }, i, j, k;
	uint64_t key, x, diff;
	double z, worst;

	for (k = 0; k < samples; k++) {
		key = mix_at(31, (uint64_t)k);
		x = (uint64_t)k; /* small numbers are what ids are made of */
		for (i = 0; i < bits; i++) {
			diff = f(key, x) ^ f(key, x ^ 1ULL << i);
			for (j = 0; j < bits; j++)
				count[i][j] += (int)(diff >> j & 1);
		}
	}
	worst = 0;
	for (i = 0; i < bits; i++) {
		for (j = 0; j < bits; j++) {
			z = fabs(2. * count[i][j] - samples) / sqrt(samples);
			worst = z > worst ? z : worst;
		}
	}
	return worst;
}

static uint64_t
keyed_at(uint64_t key, uint64_t x)
{
	return mix_at(key, x);
}

static uint64_t
keyed_seal(uint64_t key, uint64_t x)
{
	return mix_seal(mix_id(key), x);
}

static uint64_t
keyed_seal48(uint64_t key, uint64_t x)
{
	return mix_seal48(mix_id(key), x);
}

static uint64_t
only_one_round(uint64_t key, uint64_t x)
{
	return (x ^ key) * MIX_G;
}

static void
test_avalanche(struct tap *t)
{
	double z;

	z = avalanche(keyed_at, 64, 10000);
	tap(t, z < 6, "mix_at: every bit turns every bit over half the time (worst %.1f deviations)", z);
	z = avalanche(keyed_seal, 64, 10000);
	tap(t, z < 6, "mix_seal: the same (%.1f)", z);
	z = avalanche(keyed_seal48, 48, 10000);
	tap(t, z < 6, "mix_seal48: the same (%.1f)", z);
	z = avalanche(only_one_round, 64, 10000);
	tap(t, z > 50, "a multiplication alone would not pass (%.1f)", z);
}

/* Chi-square surprise of place y relative to that of x, over many keys. */
static double
pairs12(uint32_t x, uint32_t y, uint64_t seed)
{
	uint32_t count[4096] = { 0 };
	double expected, chi;
	int i, draws;

	draws = 4096 * 24;
	for (i = 0; i < draws; i++)
		count[(mix_seal12(mix_at(seed, (uint64_t)i), y) - mix_seal12(mix_at(seed, (uint64_t)i), x)) & 4095]++;
	if (count[0] != 0)
		return INFINITY;
	expected = draws / 4095.;
	chi = 0;
	for (i = 1; i < 4096; i++)
		chi += (count[i] - expected) * (count[i] - expected) / expected;
	return surprise(chi, 4094);
}

static void
test_seal12(struct tap *t)
{
	static const uint32_t step[] = { 1, 2, 3, 8, 63, 64, 65, 2048 };
	uint64_t key, seen[64];
	uint32_t x, y, i;
	double z, worst;
	int good;

	good = 1;
	for (key = 0; key < 1000; key++) {
		memset(seen, 0, sizeof(seen));
		for (x = 0; x < 4096; x++) {
			y = mix_seal12(key, x);
			good &= y < 4096 && mix_open12(key, y) == x;
			seen[y / 64 & 63] |= 1ULL << (y & 63);
		}
		for (i = 0; i < 64; i++)
			good &= seen[i] == UINT64_MAX;
	}
	tap(t, good, "mix_seal12 is a permutation of 4096 under 1000 keys, mix_open12 its inverse");
	worst = 0;
	for (i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		for (x = 0; x < 4096; x += x < 4 ? 1 : 1021) {
			z = pairs12(x, (x + step[i]) & 4095, x + i * 4096);
			worst = z > worst ? z : worst;
		}
	}
	tap(t, worst < 5, "places of neighbours are independent of each other (worst %.1f deviations)", worst);
}

/* Of x counts the remainder; numbers next to each other are not next to each other any more. */
static void
test_seal10(struct tap *t)
{
	static unsigned char seen[1000000];
	uint64_t size = 1, key, x, y, near = 0, total = 0;
	int digits, good = 1, bound = 1;

	for (digits = 1; digits <= 6; digits++) {
		size *= 10;
		for (key = 0; key < (digits < 6 ? 20 : 2); key++) {
			memset(seen, 0, sizeof(seen));
			for (x = 0; x < size; x++) {
				y = mix_seal10(mix(key + (uint64_t)digits), digits, x);
				good &= y < size && !seen[y] && mix_seal10(mix(key + (uint64_t)digits), digits, x + 7 * size) == y;
				seen[y < size ? y : 0] = 1;
				if (digits == 6 && x > 0) {
					total++;
					near += mix_seal10(mix(key + (uint64_t)digits), digits, x - 1) + 1000 > y &&
					    mix_seal10(mix(key + (uint64_t)digits), digits, x - 1) < y + 1000;
				}
			}
		}
	}
	for (size = 10, digits = 1; digits <= 18; digits++, size *= 10)
		for (x = 0; x < 1000; x++)
			bound &= mix_seal10(x, digits, mix(x)) < size;
	tap(t, good && bound, "mix_seal10 is a permutation of the numbers of so many digits");
	tap(t, near > total / 600 && near < total / 400, "neighbours are near as often as any two (%" PRIu64 " of %" PRIu64 ")", near,
	    total);
}

/* Every byte of every program rests on these words. */
static void
test_golden(struct tap *t)
{
	struct mix_id id;
	uint64_t h, i;

	h = 0;
	id = mix_id(42);
	for (i = 0; i < 10000; i++)
		h = mix(h ^ mix_seal(id, i)) + mix_seal48(id, i) + mix_seal12(i, (uint32_t)i & 4095) +
		    mix_name((const char *)&"abcdefghij"[i % 10], 1);
	tap(t, h == 0x74c53fbc7f6b9763, "the words are the same everywhere (%016" PRIx64 ")", h);
}

int
main(void)
{
	struct tap t = { 0 };

	test_words(&t);
	test_names(&t);
	test_seals(&t);
	test_avalanche(&t);
	test_seal12(&t);
	test_seal10(&t);
	test_golden(&t);
	return tap_end(&t);
}
