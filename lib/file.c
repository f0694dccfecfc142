#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

static void
forget(struct file *f)
{
	int saved = errno;

	if (f->fd != -1)
		(void)close(f->fd);
	free(f->path);
	*f = (struct file){ .fd = -1 };
	errno = saved;
}

/* Both names in one piece of memory. */
static int
name_parts(struct file *f, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
	size_t n = strlen(path) + 1, room = 2 * n + sizeof("..part");

	if ((f->path = malloc(room)) == NULL)
		return -1;
	memcpy(f->path, path, n);
	f->part = f->path + n;
	(void)snprintf(f->path + n, room - n, "%.*s.%s.part", (int)(base - path), path, base);
	return 0;
}

/* 1: it is this program's; 0: another one took the file away in between; -1 with errno. */
static int
take(struct file *f)
{
	struct stat own, named;

	if ((f->fd = open(f->part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666)) == -1 ||
	    flock(f->fd, LOCK_EX | LOCK_NB) == -1 || fstat(f->fd, &own) == -1)
		return -1;
	if (stat(f->part, &named) == 0 && named.st_dev == own.st_dev && named.st_ino == own.st_ino)
		return 1;
	(void)close(f->fd);
	f->fd = -1;
	return 0;
}

int
file_open(struct file *f, const char *path)
{
	mode_t mask = umask(0);
	int taken;

	(void)umask(mask);
	*f = (struct file){ .fd = -1 };
	if (name_parts(f, path) == -1)
		return -1;
	while ((taken = take(f)) == 0)
		;
	/* That of an earlier program may have had another mode. */
	if (taken == -1 || ftruncate(f->fd, 0) == -1 || fchmod(f->fd, 0666 & ~mask) == -1) {
		forget(f);
		return -1;
	}
	return 0;
}

int
file_sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;

	free(copy);
	if (fd == -1)
		return -1;
	failed = fsync(fd) == -1 && errno != EINVAL;
	(void)close(fd);
	return failed ? -1 : 0;
}

int
file_done(struct file *f)
{
	if (fsync(f->fd) == -1 || rename(f->part, f->path) == -1 || file_sync_folder(f->path) == -1) {
		file_drop(f);
		return -1;
	}
	forget(f);
	return 0;
}

void
file_drop(struct file *f)
{
	int saved = errno;

	if (f->part != NULL)
		(void)unlink(f->part);
	errno = saved;
	forget(f);
}
