#pragma once

// The event loop and its coroutines: all of ioloop/ that a program uses.

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/cpu_count.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/log_file.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/coro/async_generator.h>
#include <squall/ioloop/coro/from_callback.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/periodic_callback.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/shield.h>
#include <squall/ioloop/coro/wait_iterator.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/poller/poller.h>
#include <squall/ioloop/process/child_watcher.h>
#include <squall/ioloop/process/executor.h>
#include <squall/ioloop/process/fork_processes.h>
#include <squall/ioloop/process/run_in_executor.h>
#include <squall/ioloop/process/run_loops.h>
#include <squall/ioloop/process/thread_pool.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/ioloop/sync/event.h>
#include <squall/ioloop/sync/lock.h>
#include <squall/ioloop/sync/queue.h>
#include <squall/ioloop/sync/semaphore.h>
