#pragma once

// The event loop and its coroutines: all of ioloop/ that a program uses.

#include <squall/ioloop/callback.h>
#include <squall/ioloop/condition.h>
#include <squall/ioloop/deadline.h>
#include <squall/ioloop/errors.h>
#include <squall/ioloop/event.h>
#include <squall/ioloop/future.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/lock.h>
#include <squall/ioloop/log.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/ioloop/periodic_callback.h>
#include <squall/ioloop/queue.h>
#include <squall/ioloop/semaphore.h>
#include <squall/ioloop/sleep.h>
#include <squall/ioloop/task.h>
#include <squall/ioloop/task_group.h>
#include <squall/ioloop/with_timeout.h>
