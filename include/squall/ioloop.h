#pragma once

// The event loop and its coroutines: all of ioloop/ that a program uses.

#include <squall/ioloop/async_generator.h>
#include <squall/ioloop/awaitable.h>
#include <squall/ioloop/callback.h>
#include <squall/ioloop/child_watcher.h>
#include <squall/ioloop/condition.h>
#include <squall/ioloop/cpu_count.h>
#include <squall/ioloop/deadline.h>
#include <squall/ioloop/errors.h>
#include <squall/ioloop/event.h>
#include <squall/ioloop/executor.h>
#include <squall/ioloop/fork_processes.h>
#include <squall/ioloop/from_callback.h>
#include <squall/ioloop/future.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/lock.h>
#include <squall/ioloop/log.h>
#include <squall/ioloop/log_file.h>
#include <squall/ioloop/multi.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/ioloop/periodic_callback.h>
#include <squall/ioloop/poller.h>
#include <squall/ioloop/queue.h>
#include <squall/ioloop/race.h>
#include <squall/ioloop/run_in_executor.h>
#include <squall/ioloop/run_loops.h>
#include <squall/ioloop/semaphore.h>
#include <squall/ioloop/shield.h>
#include <squall/ioloop/sleep.h>
#include <squall/ioloop/task.h>
#include <squall/ioloop/task_group.h>
#include <squall/ioloop/thread_pool.h>
#include <squall/ioloop/wait_iterator.h>
#include <squall/ioloop/wait_ready.h>
#include <squall/ioloop/with_timeout.h>
