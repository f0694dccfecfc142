#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "prom.h"
#include "pusher.h"
#include "say.h"

#define NOTE_EVERY 60000 /* ms */
#define CLEAR "\r\033[K"
#define LAST_WORDS 1000 /* ms that the end waits for a reader of its messages */
#define BATCH_LARGEST (256LL * 1024 * 1024)
#define MEMORY_LARGEST (1LL << 40)

/* ---- options ---- */

_Noreturn void
pusher_usage(const struct pusher *p, int status)
{
	say_usage(p->usage, p->help, status);
}

long long
pusher_number(const char *text, char letter, long long most)
{
	const char *errstr;
	long long v = strtonum(text, 1, most, &errstr);

	if (errstr != NULL)
		errx(2, "-%c %s: %s", letter, text, errstr);
	return v;
}

int64_t
pusher_duration(const char *text, char letter)
{
	int64_t us;

	if (clock_duration(text, strlen(text), &us) == -1)
		errx(2, "-%c %s: not a duration such as 500ms, 15s or 5m", letter, text);
	return us;
}

int64_t
pusher_time(const char *text, char letter)
{
	int64_t us;

	if (clock_parse(text, strlen(text), &us) == -1)
		errx(2, "-%c %s: not a date, or a time in UTC such as 2025-12-03T12:20:00Z", letter, text);
	return us;
}

/* In ms; 0 only for 0. */
static int64_t
duration_ms(const char *text, char letter)
{
	if (strcmp(text, "0") == 0 || strcmp(text, "0s") == 0)
		return 0;
	return (pusher_duration(text, letter) + 999) / 1000;
}

static void
set_form(struct pusher *p, const char *value)
{
	int form = pack_form(value);

	if (form == -1)
		errx(2, "-z %s: none, gzip or zstd", value);
	p->set.pack = (enum pack_form)form;
	p->pack = value;
}

static int
set_file(struct pusher *p, int letter, const char *value)
{
	switch (letter) {
	case 'D':
		p->set.dead = value;
		return 1;
	case 'H':
		p->set.headers = value;
		return 1;
	case 'P':
		p->set.password = value;
		return 1;
	case 'S':
		p->set.stats = value;
		return 1;
	case 'j':
		p->set.journal = value;
		return 1;
	default:
		return 0;
	}
}

static int
set_time(struct pusher *p, int letter, const char *value)
{
	switch (letter) {
	case 'E':
		p->set.drain = duration_ms(value, 'E');
		return 1;
	case 'L':
		p->set.wait = duration_ms(value, 'L');
		return 1;
	case 'T':
		p->set.deadline = (pusher_duration(value, 'T') + 999) / 1000;
		return 1;
	case 'W':
		p->set.settle = duration_ms(value, 'W');
		return 1;
	default:
		return 0;
	}
}

int
pusher_option(struct pusher *p, int letter, const char *value)
{
	switch (letter) {
	case 'B':
		p->set.bytes = (size_t)pusher_number(value, 'B', BATCH_LARGEST);
		return 1;
	case 'C':
		p->set.connections = (int)pusher_number(value, 'C', 64);
		return 1;
	case 'M':
		p->set.memory = (size_t)pusher_number(value, 'M', MEMORY_LARGEST);
		return 1;
	case 'N':
		p->set.max_dead = (uint64_t)pusher_number(value, 'N', INT64_MAX);
		return 1;
	case 'R':
		p->set.records = (size_t)pusher_number(value, 'R', 1000000);
		return 1;
	case 'V':
		say_version(p->name);
	case 'h':
		pusher_usage(p, 0);
	case 'v':
		p->verbose = 1;
		return 1;
	case 'y':
		p->verify = 1;
		return 1;
	case 'z':
		set_form(p, value);
		return 1;
	default:
		return set_file(p, letter, value) || set_time(p, letter, value);
	}
}

char *
pusher_url(const char *base, const char *path, const char *const *query)
{
	static const char *const none[] = { NULL };
	const char *errstr;
	char *url = push_url(base, path, query == NULL ? none : query, &errstr);

	/* What may hold a password or a token is not repeated. */
	if (url == NULL && strchr(base, '@') != NULL)
		errx(2, "URL: %s", errstr);
	if (url == NULL)
		errx(2, "%.*s: %s", (int)strcspn(base, "?#"), base, errstr);
	return url;
}

/* ---- telling ---- */

/* A pipe or terminal that nobody reads must not keep signals from being seen: what cannot be told is not. */
static int
may_tell(const struct pusher *p)
{
	struct pollfd fd[2] = { { .fd = p->out, .events = POLLOUT }, { .fd = -1, .events = POLLIN } };

	if (p->push == NULL)
		return 1;
	fd[1].fd = push_signals(p->push);
	return poll(fd, 2, *push_error(p->push) == '\0' ? -1 : LAST_WORDS) > 0 && fd[0].revents != 0;
}

/* A line for a person. It takes the place of the progress line. */
static void __attribute__((format(printf, 2, 3))) tell(const struct pusher *p, const char *fmt, ...)
{
	char text[2048];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%.64s: ", p->tty ? CLEAR : "", program_invocation_short_name), done = 0;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	n = strlen(text);
	text[n++] = '\n';
	while (done < n && may_tell(p)) {
		ssize_t got = write(p->out, text + done, n - done);

		if (got == -1 && errno != EAGAIN && errno != EINTR)
			return;
		done += got == -1 ? 0 : (size_t)got;
	}
}

void
pusher_say(const struct pusher *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(p, "%s: %s", p->base, text);
}

int
pusher_refuse(struct pusher *p, const struct push_answer *a, const char *form)
{
	char why[PUSH_WHY];

	if (form != NULL)
		(void)snprintf(why, sizeof(why), "%ld: the server does not understand -z %s", a->status, form);
	else
		push_says(p->push, a, why);
	push_stop(p->push, why);
	return -1;
}

void
pusher_refused(const struct pusher *p, uint64_t line, const char *why)
{
	tell(p, "%s:%" PRIu64 ": %s", p->in.name, line, why);
}

static void
refused(void *arg, uint64_t line, const char *why)
{
	pusher_refused(arg, line, why);
}

static void
note(void *arg, const char *what)
{
	pusher_say(arg, "%s", what);
}

/* On a terminal: how far it is. */
static void
progress(void *arg, const struct push_account *a, int in_flight, int last)
{
	struct pusher *p = arg;
	char text[256];
	size_t n;

	if (!p->tty)
		return;
	(void)snprintf(text, sizeof(text), "%s%s: read %" PRIu64 ", accepted %" PRIu64 ", refused %" PRIu64 ", under way %d", CLEAR,
	    p->name, a->read, a->accepted, a->refused, in_flight);
	n = last ? strlen(CLEAR) : strlen(text);
	if (write(p->out, text, n) == -1)
		return; /* the next one may be seen */
}

/* From where on the input is to be loaded again. */
static void
tell_place(const struct pusher *p)
{
	const struct rec *in = &p->in;

	if (in->line == 0)
		tell(p, "%s: no line was read", in->name);
	else if (p->account.first == 0)
		tell(p, "%s: read to line %" PRIu64 "; all of it was accepted or refused", in->name, in->line);
	else
		tell(p, "%s: read to line %" PRIu64 "; the first line not delivered is %" PRIu64, in->name, in->line, p->account.first);
}

static void
tell_account(const struct pusher *p)
{
	const struct push_account *a = &p->account;

	if (a->undelivered > 0)
		pusher_say(p, "%" PRIu64 " records not delivered", a->undelivered);
	if (a->uncertain > 0)
		pusher_say(p, "%" PRIu64 " of them may be stored all the same", a->uncertain);
	if (a->unsettled > 0)
		pusher_say(p, "%" PRIu64 " records accepted, but not for long enough to be safe from a crash of the server", a->unsettled);
	if (a->refused > 0)
		pusher_say(p, "%" PRIu64 " records refused", a->refused);
	if (a->earlier > 0)
		pusher_say(p, "%" PRIu64 " records refused in earlier runs of the journal", a->earlier);
	if (!p->verbose)
		return;
	pusher_say(p,
	    "read %" PRIu64 " = accepted %" PRIu64 " + refused %" PRIu64 " + not delivered %" PRIu64 "; perhaps doubled %" PRIu64
	    "; requests %" PRIu64 ", repeated %" PRIu64 ", bytes %" PRIu64,
	    a->read, a->accepted, a->refused, a->undelivered, a->doubtful, a->requests, a->retries, a->bytes);
	if (a->restarts > 0)
		pusher_say(
		    p, "the server was started anew %" PRIu64 " times; sent again for that: %" PRIu64 " records", a->restarts, a->replayed);
}

/* ---- the run ---- */

int64_t
pusher_now(void)
{
	struct timespec t;

	/* Asked for each record: to some milliseconds is enough. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
pusher_life(void *arg, const struct push_answer *a, struct push_life *life)
{
	(void)arg;
	if (prom_start(a->body, &life->start) == -1 || prom_value(a->body, "process_cpu_seconds_total", &life->growth) == -1)
		*life = (struct push_life){ 0 };
	else if (prom_value(a->body, "vm_app_uptime_seconds", &life->age) == -1)
		life->age = 0;
}

/* A socket or file that got the number of a closed stream would be written as that stream. */
static void
hold_stream(FILE *stream)
{
	/* cppcheck-suppress leakReturnValNotUsed ; it is the stream */
	if (fcntl(fileno(stream), F_GETFD) == -1 && freopen("/dev/null", "w", stream) == NULL)
		exit(1);
}

static const char *
variable(const char *name)
{
	const char *v = getenv(name);

	return v == NULL || *v == '\0' ? NULL : v;
}

static void
tell_proxy(const struct pusher *p)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (variable(names[i]) != NULL) {
			pusher_say(p, "the proxy in %s is not used", names[i]);
			return;
		}
	}
}

/* Is this part of a query about who we are? That may change from one run to the next. */
static int
is_credential(const char *part, size_t n)
{
	static const char *const words[] = { "token", "key", "auth", "user", "pass", "secret" };

	n = strcspn(part, "=") < n ? strcspn(part, "=") : n;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t at = 0; at + strlen(words[i]) <= n; at++)
			if (strncasecmp(part + at, words[i], strlen(words[i])) == 0)
				return 1;
	return 0;
}

/* A query may name the place that is loaded, as a database, and may hold secrets, so there is no more of it than a hash. 0: nothing. */
static uint64_t
place_of(const char *query)
{
	uint64_t hash = 0;
	size_t n;

	for (; query != NULL && *query != '\0'; query += n + (query[n] == '&')) {
		n = strcspn(query, "&#");
		if (n > 0 && !is_credential(query, n))
			hash = mix_at(hash, mix_name(query, n));
		if (query[n] == '#')
			break;
	}
	return hash;
}

/* What a resumed load must have in common with the first. */
static char *
target_of(const struct pusher *p, const char *target)
{
	char *text, place[32] = "";
	/* Where the server knows repetitions by their batch, batches must be cut alike. */
	size_t bytes = p->set.once ? p->set.bytes : 0, records = p->set.once ? p->set.records : 0;

	if (place_of(p->set.secret) != 0)
		(void)snprintf(place, sizeof(place), "?%016" PRIx64, place_of(p->set.secret));
	if (asprintf(&text, "%s %s%s %zu %zu %s", p->name, p->base, place, bytes, records, target) == -1)
		err(1, NULL);
	return text;
}

static void
set_up(struct pusher *p, const char *url)
{
	const char *query = strchr(url, '?'), *term = getenv("TERM");

	(void)snprintf(p->agent, sizeof(p->agent), "%s/" OG_VERSION, p->name);
	p->set.agent = p->agent;
	p->set.secret = query == NULL ? NULL : query + 1;
	p->set.user = variable("OG_USER");
	p->set.key = variable("OG_PASSWORD");
	p->set.ca = variable("SSL_CERT_FILE");
	p->set.every = NOTE_EVERY;
	/* A terminal blocks in the middle of a line; as a description of our own it need not, and that of others stays as it is. */
	if (isatty(STDERR_FILENO) != 1 || (p->out = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1)
		p->out = STDERR_FILENO;
	p->tty = isatty(STDERR_FILENO) == 1 && (term == NULL || strcmp(term, "dumb") != 0);
	p->user.arg = p;
	if (p->user.refused == NULL)
		p->user.refused = refused;
	p->user.note = note;
	p->user.progress = p->tty ? progress : NULL;
	if ((p->set.user == NULL) != (p->set.key == NULL))
		errx(2, "OG_USER and OG_PASSWORD are to be set both");
}

/* A file that is two of these would be written over. */
static void
check_files(const struct pusher *p)
{
	const char *const names[] = { "standard input", "-D", "-S", "-j", "-H", "-P" };
	const char *const files[] = { NULL, p->set.dead, p->set.stats, p->set.journal, p->set.headers, p->set.password };
	struct stat st[6];
	int is[6];

	for (int i = 0; i < 6; i++) {
		is[i] = (i == 0                    ? fstat(STDIN_FILENO, &st[i])
				: files[i] == NULL ? -1
						   : stat(files[i], &st[i])) == 0 &&
		    S_ISREG(st[i].st_mode);
		for (int j = 0; j < i; j++)
			if (is[i] && is[j] && st[i].st_dev == st[j].st_dev && st[i].st_ino == st[j].st_ino)
				errx(2, "%s and %s: the same file", names[j], names[i]);
	}
}

int
pusher_run(struct pusher *p, const char *url, const char *target)
{
	char *whole, why[PUSH_WHY];
	int failed;

	if (fcntl(STDIN_FILENO, F_GETFD) == -1)
		err(1, "<stdin>");
	if ((fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY)
		errx(1, "<stdin>: %s", strerror(EBADF));
	hold_stream(stdout);
	hold_stream(stderr);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that must not grow is as a full disk */
	if ((p->base = strndup(url, strcspn(url, "?#"))) == NULL)
		err(1, NULL);
	set_up(p, url);
	p->set.target = whole = target_of(p, target);
	tell_proxy(p);
	if (rec_open(&p->in, STDIN_FILENO, "<stdin>", NULL, PUSH_LINE_MAX) == -1)
		err(1, NULL);
	check_files(p);
	if ((p->push = push_open(&p->set, &p->user, why)) == NULL)
		errx(1, "%s", why);
	check_files(p); /* now all of them are there */
	failed = push_run(p->push, &p->in, &p->account) == -1;
	free(whole);
	p->set.target = NULL;
	if (failed) {
		pusher_say(p, "%s", push_error(p->push));
		tell_place(p);
	}
	tell_account(p);
	return failed || p->account.refused > 0 || p->account.earlier > 0 || p->account.undelivered > 0;
}

int
pusher_done(const struct pusher *p)
{
	return push_error(p->push)[0] == '\0' && p->account.undelivered == 0;
}

int
pusher_end(struct pusher *p, int status)
{
	push_close(p->push);
	rec_close(&p->in);
	if (p->out != STDERR_FILENO)
		(void)close(p->out);
	free(p->base);
	return status;
}
