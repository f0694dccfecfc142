/*
 * What the command lines of the pushers share: their options, what they tell a person, and the run itself.
 */
#ifndef OG_PUSHER_H
#define OG_PUSHER_H

#include <getopt.h>
#include <stdio.h>

#include "push.h"
#include "rec.h"

/* Between the letters and long options of a program's own; og-push(7) is their page. */
#define PUSHER_LETTERS "B:C:D:E:H:L:M:N:P:R:S:T:VW:hj:vyz:"
/* clang-format off */
#define PUSHER_OPTIONS \
	{ "bytes", required_argument, NULL, 'B' }, \
	{ "connections", required_argument, NULL, 'C' }, \
	{ "dead-letter", required_argument, NULL, 'D' }, \
	{ "drain", required_argument, NULL, 'E' }, \
	{ "headers", required_argument, NULL, 'H' }, \
	{ "wait", required_argument, NULL, 'L' }, \
	{ "memory", required_argument, NULL, 'M' }, \
	{ "max-dead", required_argument, NULL, 'N' }, \
	{ "password", required_argument, NULL, 'P' }, \
	{ "records", required_argument, NULL, 'R' }, \
	{ "statistics", required_argument, NULL, 'S' }, \
	{ "deadline", required_argument, NULL, 'T' }, \
	{ "version", no_argument, NULL, 'V' }, \
	{ "settle", required_argument, NULL, 'W' }, \
	{ "help", no_argument, NULL, 'h' }, \
	{ "journal", required_argument, NULL, 'j' }, \
	{ "verbose", no_argument, NULL, 'v' }, \
	{ "verify", no_argument, NULL, 'y' }, \
	{ "compress", required_argument, NULL, 'z' }
/* clang-format on */
#define PUSHER_USAGE                                                                                \
	"                 [-vy] [-B bytes] [-C connections] [-D file] [-E drain] [-H file]\n"       \
	"                 [-j journal] [-L wait] [-M memory] [-N records] [-P file] [-R records]\n" \
	"                 [-S file] [-T deadline] [-W settle] [-z form] url\n"

#define PUSHER_MEMORY (1024 * 1024 * 1024) /* bytes of -M, if it is not given */

struct pusher {
	const char *name; /* of the program */
	const char *usage;
	const char *help; /* the lines of -h below it */
	struct push_settings set;
	struct push_user user;
	struct push_account account;
	struct push *push;
	struct rec in;
	char agent[64];
	char *base; /* the URL for messages: no query, which may hold a token */
	void *own;  /* what the program adds */
	int verbose, verify, tty;
	int out;          /* descriptor of messages */
	const char *pack; /* name of the form */
};

/* One of the options above. 1; 0: it is another. Bad values end the program with status 2. */
int pusher_option(struct pusher *, int letter, const char *value);
_Noreturn void pusher_usage(const struct pusher *, int status);
/* The value of an option: 1 to most; a duration in us. */
long long pusher_number(const char *text, char letter, long long most);
int64_t pusher_duration(const char *text, char letter);
int64_t pusher_time(const char *text, char letter); /* us since 1970 */
/* A URL of the server, or the end with status 2. */
char *pusher_url(const char *base, const char *path, const char *const *query);
/*
 * Deliver standard input to `url`, as set and user say, which the program has filled in.
 *   target    what the journal calls the way of loading: options that change what arrives
 *   return    exit status, when there is nothing to verify
 */
int pusher_run(struct pusher *, const char *url, const char *target);
/* Was the input read to its end and all of it accepted or refused? Only then can the server be asked for it. */
int pusher_done(const struct pusher *);
/* Say what was delivered and what was not, and free all. The exit status. */
int pusher_end(struct pusher *, int status);
/* For begin(): stop, because of this answer to a question; `form`: the compression that it may be about, or NULL. -1 */
int pusher_refuse(struct pusher *, const struct push_answer *, const char *form);
/* As alive(): a page of metrics of the Victoria family. */
void pusher_life(void *, const struct push_answer *, struct push_life *);
/* ns since 1970 */
int64_t pusher_now(void);
/* What is said of a refused record, unless user.refused is set. */
void pusher_refused(const struct pusher *, uint64_t line, const char *why);
/* A message: `og-vlpush: URL: ...` */
void pusher_say(const struct pusher *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
