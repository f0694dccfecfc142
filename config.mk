# Settings. Everything here may be given on the command line: make CC=clang PREFIX=/usr
# What -V prints and packages are called; NEWS.md begins with it.
VERSION = 0.1
PREFIX = /usr/local
MANPREFIX = $(PREFIX)/share/man
# Where bash looks for completion.
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
CC = cc
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat-security
OPT = -O2
# No contraction of a * b + c: the same bytes on every machine, whatever OPT says.
CFLAGS = -std=c11 $(WARN) $(OPT) -ffp-contract=off -g
CPPFLAGS = -D_GNU_SOURCE -DLIBBSD_OVERLAY -isystem /usr/include/bsd -Ilib -Ibuild -DOG_SHARE_DIR='"$(PREFIX)/share/og"' -DOG_VERSION='"$(VERSION)"'
LDFLAGS =
# -lm for sqrt alone.
LDLIBS = -lbsd -lm
