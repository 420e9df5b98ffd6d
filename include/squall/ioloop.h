#pragma once

// The event loop and its coroutines: all of ioloop/ that a program uses.

#include <squall/ioloop/callback.h>
#include <squall/ioloop/errors.h>
#include <squall/ioloop/future.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/log.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/ioloop/poller.h>
#include <squall/ioloop/sleep.h>
#include <squall/ioloop/task.h>
#include <squall/ioloop/task_group.h>
#include <squall/ioloop/with_timeout.h>
