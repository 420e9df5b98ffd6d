#pragma once

// kqueue(2) for Linux, over poll(2): enough of it to run ioloop/poller/poller_kqueue.cc on systems without
// kqueue.
//
// It must fail where the kernels fail, so its rules come from kqueue(2) of FreeBSD (F), NetBSD (N), OpenBSD
// (O) and macOS (M), or, if the manuals do not specify a case, from their kernels. Where they differ, it
// follows the stricter system.
//
// Implemented:
//   - A kevent is known by (ident, filter): adding it again changes its udata and enables it, no more (FNOM).
//   - EV_ADD, EV_DELETE, EV_ENABLE, EV_DISABLE. ENOENT for changing or deleting a kevent that does not exist,
//     EBADF for any change of a descriptor that is not open, EINVAL for an unknown filter (FNOM).
//   - A change that fails is reported as an event with EV_ERROR and the errno in `data`, if there is room in
//     the list, else kevent() itself fails with it and leaves the rest undone. EV_RECEIPT makes every change
//     report, success as 0. If a change is reported, the call does not wait and returns no events (FNOM).
//   - Changes after one that failed and was reported are applied nevertheless (FNOM).
//   - Level-triggered: the filter is run when events are fetched (FNOM). Events that do not fit into the list
//     come first in the next call.
//   - Closing a descriptor removes its kevents, also if a duplicate is left (F: knote_fdclose), and also if
//     the number has been taken by another file since.
//   - EVFILT_READ: data to read, or a connection to accept, with the number of bytes in `data`; EV_EOF once
//     the other side has shut down or gone, even if there is data left (FNOM). A regular file is
//     readable before its end (FNOM).
//   - EVFILT_WRITE: room to write; EV_EOF once the read end is closed (FNOM). Not for regular files: EINVAL
//     (NO).
//   - The queue can itself be polled: it is readable while it has events (FNOM).
//   - EVFILT_WRITE on a pipe whose read end is closed: EPIPE (F: pipe_kqfilter; older M).
//   - A direction that the descriptor was not opened for is accepted and never reported (F, since 14).
//   - The timeout: null waits without end, zero does not wait; negative or not normalised is EINVAL (FNOM),
//     as are more than 100,000,000 seconds (M: itimerfix). With an empty list the call does not wait (NO).
//   - EINTR on a signal, never restarted (FNOM).
//   - A child does not inherit the queue: EBADF (FNOM). It is not closed on exec() unless asked to.
//
// Not implemented, and refused with EINVAL: other filters, EV_ONESHOT, EV_CLEAR, EV_DISPATCH, fflags. Not
// implemented, and not refused:
//   - `fflags` never has a socket's error, because reading the error would clear it. `data` of EVFILT_WRITE
//     is always 1.
//   - Events come in the order of the descriptors' numbers, starting where the last call stopped, not in the
//     order of activation.
//   - A regular file that grows while kevent() waits is noticed by the next call.
//   - A descriptor that is closed and reopened as another eventfd, epoll or similar is taken for the old
//     one: Linux gives them the same inode.
//   - One kqueue is used by one thread, and nothing it watches is closed while it waits.

#include <sys/types.h>

#include <cstdint>
#include <ctime>

#define SQUALL_KQUEUE_SHIM 1

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

struct kevent {
  std::uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned int fflags;
  std::int64_t data;
  void* udata;
};

#define EV_SET(event, id, filt, flgs, fflgs, dat, udat)                                                      \
  (*(event) = {static_cast<std::uintptr_t>(id), static_cast<short>(filt), static_cast<unsigned short>(flgs), \
               static_cast<unsigned int>(fflgs), static_cast<std::int64_t>(dat), static_cast<void*>(udat)})

int kqueue();
int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist, int nevents,
           const struct timespec* timeout);
