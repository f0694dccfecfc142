/*
 * Keyed random words: every draw is a function of a key, nothing is drawn "next".
 * Source: finaliser of SplitMix64, Steele, Lea and Flood, OOPSLA 2014, with Stafford's variant 13 constants.
 */
#ifndef OG_MIX_H
#define OG_MIX_H

#include <stddef.h>
#include <stdint.h>

#define MIX_G 0x9e3779b97f4a7c15ULL

/* A bijection of 64-bit words that passes for random. */
static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The i-th random word of a key. */
static inline uint64_t
mix_at(uint64_t key, uint64_t i)
{
	return mix(key + i * MIX_G);
}

/* Key of a part of what `key` is the key of. */
static inline uint64_t
mix_part(uint64_t key, uint64_t part)
{
	return mix(key ^ mix(part + MIX_G));
}

/* A share in [0, 1) from a word. */
static inline double
mix_share(uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53;
}

/* A whole number in [0, n) from 32 random bits; n > 0; bias below n / 2^32. */
static inline uint32_t
mix_below(uint32_t bits, uint32_t n)
{
	return (uint32_t)(((uint64_t)bits * n) >> 32);
}

/* The inverse of mix(). */
uint64_t mix_undo(uint64_t x);

/* Key of a name: its bytes as little-endian words, folded; the length last. */
uint64_t mix_name(const char *s, size_t n);

/* Keyed bijections, for ids: unique without remembering them. */
struct mix_id {
	uint64_t a, b;
};

struct mix_id mix_id(uint64_t key);
uint64_t mix_seal(struct mix_id id, uint64_t x);   /* 64 bits to 64 bits */
uint64_t mix_open(struct mix_id id, uint64_t y);   /* the inverse */
uint64_t mix_seal48(struct mix_id id, uint64_t x); /* 48 bits to 48 bits */
uint64_t mix_open48(struct mix_id id, uint64_t y);
/* A keyed permutation of [0, 4096) and its inverse. */
uint32_t mix_seal12(uint64_t key, uint32_t x);
uint32_t mix_open12(uint64_t key, uint32_t y);
/* A keyed permutation of [0, 10^digits), 1 to 18 digits; of x no more than these count. */
uint64_t mix_seal10(uint64_t key, int digits, uint64_t x);

#endif
