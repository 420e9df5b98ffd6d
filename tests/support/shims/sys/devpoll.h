#pragma once

// /dev/poll for Linux, over poll(2): enough of it to run ioloop/poller/poller_devpoll.cc on systems without
// the device.
//
// It must fail where the kernel fails, so its rules come from poll(7D) of Solaris and illumos, or, if the
// manual does not specify a case, from illumos' driver, devpoll.c.
//
// Implemented:
//   - Writing an array of pollfd adds to the set, entry by entry. The events of an entry whose descriptor is
//     in the set already are added to its events; only POLLREMOVE removes it. Removing a descriptor that is
//     not in the set does nothing. A write of more entries than the process may open descriptors is EINVAL.
//   - No write fails because of its descriptors. A descriptor that is not open stays in the set, is never
//     reported, and POLLREMOVE does not remove its events (devpoll.c); an invalid number is ignored.
//   - A descriptor that was closed and not removed is reported as POLLNVAL; if its number is
//     reused, the new descriptor is polled. It can be removed at any time.
//   - DP_POLL waits dp_timeout milliseconds (-1: without end) for at most dp_nfds descriptors, and returns
//     the number of ready ones, level-triggered, in the order of their numbers, starting where the last call
//     stopped. If it returns 0, dp_fds is unchanged. With a dp_nfds of 0 it only sleeps.
//   - dp_nfds must be less than the process may open descriptors, else EINVAL: 256 by default.
//   - EINTR on a signal.
//   - A child may not use an inherited set: EACCES.
//
// Not implemented: DP_ISPOLLED and the other requests of the driver (EINVAL); polling the device itself.
// `events` of a reported descriptor is right also for POLLNVAL. One set is used by one thread.
//
// The three calls that use the device are replaced below, only in sources that include this file; calls for
// other files and other requests are passed on. close() is not replaced.

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
