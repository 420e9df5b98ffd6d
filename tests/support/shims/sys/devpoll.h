#pragma once

// /dev/poll for Linux, over poll(2): enough of it to run ioloop/poller/poller_devpoll.cc where there is no such
// device.
//
// It must fail where the kernel fails, so what it keeps is taken from poll(7D) of Solaris and illumos, and
// where that is silent from illumos' driver, devpoll.c.
//
// Kept:
//   - Writing an array of pollfd adds to the set, entry by entry. The events of an entry whose descriptor is
//     in the set already are or'ed to those there; POLLREMOVE alone takes it out. Removing what is not in
//     the set is nothing. A write of more entries than the process may open descriptors is EINVAL.
//   - No write fails for its descriptors. One that is not open is kept and never reported, and POLLREMOVE
//     does not take its events back (devpoll.c); a number that cannot be one is ignored.
//   - A descriptor that was closed and not removed is reported as POLLNVAL; if the number has a new owner,
//     that is polled in its place. It can be removed at any time.
//   - DP_POLL waits dp_timeout milliseconds, 0 not at all, -1 without end, for at most dp_nfds descriptors,
//     and returns how many there are, level-triggered. It looks for them in the order of their numbers, from
//     where it stopped. 0 leaves dp_fds alone. dp_nfds of 0 only sleeps.
//   - dp_nfds must be less than the process may open descriptors, else EINVAL: 256 by default.
//   - EINTR on a signal.
//   - A child may not use an inherited set: EACCES.
//
// Not kept: DP_ISPOLLED and the rest of the driver's own requests (EINVAL); that the device can be polled.
// `events` of what is reported is right also for POLLNVAL. One set is used by one thread.
//
// There being no device, the three calls that reach it are replaced below in whatever includes this file,
// and only that; other files and requests they pass on. close() needs no help.

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>

#define SQUALL_DEVPOLL_SHIM 1

#ifndef POLLREMOVE
#define POLLREMOVE 0x1000
#endif
#define DP_POLL 0xD001

struct dvpoll {
  struct pollfd* dp_fds;
  int dp_nfds;
  int dp_timeout;
};

int squall_shim_open(const char* path, int flags);
ssize_t squall_shim_write(int fd, const void* bytes, std::size_t size);
int squall_shim_ioctl(int fd, int request, void* argument);

#define open(path, flags) squall_shim_open(path, flags)
#define write(fd, bytes, size) squall_shim_write(fd, bytes, size)
#define ioctl(fd, request, argument) squall_shim_ioctl(fd, request, argument)
